"""The avatar's own words, by which it knows itself when its voice comes back to its ears."""

import time
from collections import deque
from difflib import SequenceMatcher

from pipecat.frames.frames import AggregatedTextFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed

from .words import split

# Words said longer ago are not heard any more.
REMEMBERED_S = 12.0
# So much of what is heard is the avatar's, when it is the avatar.
MOSTLY = 0.6


class Said(BaseObserver):
    """Remembers what the avatar has just said."""

    def __init__(self) -> None:
        super().__init__(observe_every_push=False)
        self._words: deque[tuple[float, str]] = deque()

    async def on_push_frame(self, data: FramePushed) -> None:
        """Note the words on their way to the voice, and as it speaks them."""
        if isinstance(data.frame, AggregatedTextFrame):
            now = time.monotonic()
            self._words.extend((now, word) for word in split(data.frame.text))

    def holds(self, heard: str) -> bool:
        """Whether what was heard is what was just said."""
        while self._words and self._words[0][0] < time.monotonic() - REMEMBERED_S:
            self._words.popleft()
        words = split(heard)
        said = [word for _, word in self._words]
        blocks = SequenceMatcher(None, said, words, autojunk=False).get_matching_blocks()
        return bool(words) and sum(block.size for block in blocks) >= MOSTLY * len(words)
