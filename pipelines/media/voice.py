"""A voice on this machine: speech is made in a thread, sentence by sentence, ahead if asked to."""

import asyncio
import os
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import Frame
from pipecat.services.settings import TTSSettings
from pipecat.utils.tracing.service_decorators import traced_tts

from .articulation import Articulate, ArticulationFrame
from .speech import Phoneme, Speech

# A sentence that takes longer on a machine that is overloaded loses its word times.
LONGEST_SYNTHESIS_S = 15.0
# Pipecat takes a service for broken whose text has no sound three times; "👍" has none.
NOTHING_TO_SAY_S = 0.02
NICENESS = 10


def give_way() -> None:
    """Let faces and rooms come first, which cannot wait; speech is made long before it is heard.

    For the thread that calls it.
    """
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@dataclass(frozen=True)
class Prepared:
    """The beginning of a text's speech, made ahead or in the making."""

    text: str
    sentences: Iterator[Speech]
    first: Future[Speech | None]


class Voice(Articulate):
    """A TTSService that shares one loaded model between all conversations, and times its words.

    `speak` turns a text into speech of `rate` Hz, in `thread`, so that it holds up no event loop.
    """

    def __init__(
        self, speak: Callable[[str], Iterator[Speech]], rate: int, thread: Executor, name: str
    ) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            push_text_frames=False,
            stop_frame_timeout_s=LONGEST_SYNTHESIS_S,
            settings=TTSSettings(model=None, voice=name, language=None),
        )
        # Pipecat's own forgets the end of a sentence when the next one is 0.2 s late.
        self._resampler = create_stream_resampler(clear_after_secs=None)
        self._speak = speak
        self._rate = rate
        self._thread = thread
        self._prepared: Prepared | None = None
        # Seconds of sound in each audio context so far: word times count from its start.
        self._spoken_s: defaultdict[str, float] = defaultdict(float)

    def can_generate_metrics(self) -> bool:
        """It measures itself."""
        return True

    def prepare(self, text: str) -> None:
        """Begin to make the speech of a text that is likely to be asked for next.

        The next text has it at once if it is the same; one text is kept, the last.
        """
        if self._prepared and self._prepared.text == text.strip():
            return
        self.withdraw()
        self._prepared = self._begin(text)

    def withdraw(self) -> None:
        """Forget what was prepared; nothing is made of it that is not being made already."""
        if self._prepared:
            self._prepared.first.cancel()
        self._prepared = None

    def _take(self, text: str) -> Prepared:
        """The speech of a text: what was prepared if it is that, else from the beginning."""
        if self._prepared and self._prepared.text != text.strip():
            self.withdraw()
        taken, self._prepared = self._prepared or self._begin(text), None
        return taken

    def _begin(self, text: str) -> Prepared:
        sentences = self._speak(text)
        return Prepared(text.strip(), sentences, self._thread.submit(next, sentences, None))

    @traced_tts
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Speak a text; its words go before the sound they are in."""
        await self.start_tts_usage_metrics(text)
        if context_id not in self._spoken_s:
            await self._resampler.reset()  # of what was said before nothing is heard in this
        async for frame in self._stream_audio_frames_from_iterator(
            self._sound(text, context_id), in_sample_rate=self._rate, context_id=context_id
        ):
            yield frame

    async def _sound(self, text: str, context_id: str) -> AsyncIterator[bytes]:
        silent = True
        async for speech in self._speech(text):
            start_s = self._spoken_s[context_id]
            self._spoken_s[context_id] += speech.duration_s
            words = [(word, start_s + at_s) for word, at_s in speech.words]
            await self.add_word_timestamps(words, context_id)
            await self._articulate(speech, start_s, context_id)
            silent = False
            yield speech.pcm
        if silent:
            yield bytes(2 * round(NOTHING_TO_SAY_S * self._rate))

    async def _articulate(self, speech: Speech, start_s: float, context_id: str) -> None:
        """Tell what is heard when in a sentence that begins at `start_s`, if the voice says so."""
        if speech.phonemes:
            silence = Phoneme("", speech.phonemes[-1].end_s, speech.duration_s)
            frame = ArticulationFrame([*speech.phonemes, silence], context_id).moved(start_s)
            await self.append_to_audio_context(context_id, frame)

    async def _speech(self, text: str) -> AsyncIterator[Speech]:
        """What is spoken, each sentence when it is made; who stops listening stops the making."""
        taken = self._take(text)
        made = taken.first
        while speech := await asyncio.wrap_future(made):
            yield speech
            made = self._thread.submit(next, taken.sentences, None)

    async def on_audio_context_completed(self, context_id: str) -> None:
        """Forget the context; one that is opened again counts from its new start."""
        self._spoken_s.pop(context_id, None)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Forget the context."""
        self._spoken_s.pop(context_id, None)
