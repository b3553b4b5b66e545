"""The avatar's own words, by which it knows itself when its voice comes back to its ears."""

from difflib import SequenceMatcher

from pipecat.frames.frames import LLMFullResponseEndFrame, LLMTextFrame, TTSSpeakFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed

from .words import COMMANDS, split

# What was said before the last answers, in characters, is not heard any more.
REMEMBERED = 1500
# Single words may be anybody's: so many in a row are the avatar's, so many new ones the user's.
FEW_WORDS = 2


class Said(BaseObserver):
    """Remembers what the avatar was given to say."""

    def __init__(self) -> None:
        super().__init__(observe_every_push=False)
        self._text = ""

    async def on_push_frame(self, data: FramePushed) -> None:
        """Note the words on their way to the voice."""
        if isinstance(data.frame, LLMTextFrame):
            self._text += data.frame.text
        elif isinstance(data.frame, TTSSpeakFrame):
            self._text += f" {data.frame.text} "
        elif isinstance(data.frame, LLMFullResponseEndFrame):
            self._text = f"{self._text[-REMEMBERED:]} "

    def without(self, heard: str) -> str:
        """What was heard after the avatar's own words; "" if that was hardly a word."""
        words, said = split(heard), split(self._text)
        blocks = SequenceMatcher(None, said, words, autojunk=False).get_matching_blocks()
        least = min(FEW_WORDS, len(words))
        own = [block for block in blocks if block.size >= least > 0]
        if not own:
            return heard
        rest = words[own[-1].b + own[-1].size :]
        new = [word for word in rest if word not in said]
        return " ".join(rest) if len(new) >= FEW_WORDS or COMMANDS & set(new) else ""
