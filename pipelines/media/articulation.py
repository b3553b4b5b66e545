"""What a voice articulates, on its way beside the sound: from the TTS service to the face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipecat.frames.frames import (
    DataFrame,
    Frame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.tts_service import TTSService

from .speech import Phoneme


@dataclass
class ArticulationFrame(DataFrame):
    """What is heard when, for faces that move their lips by it; best before the sound.

    Attributes:
        phonemes: in seconds of the voice, counted from where the frame stands in it: what was
            before is below zero. So it holds for any rate and for any cutting of the sound.
        context_id: of which audio context it is.
    """

    phonemes: Sequence[Phoneme]
    context_id: str | None = None

    def moved(self, by_s: float) -> "ArticulationFrame":
        """The same from a place in the voice that is `by_s` earlier."""
        phonemes = [
            replace(each, start_s=each.start_s + by_s, end_s=each.end_s + by_s)
            for each in self.phonemes
        ]
        return self._with(phonemes)

    def until(self, end_s: float) -> "ArticulationFrame":
        """The part of it that is before a place, counted from where it stands."""
        before = (each for each in self.phonemes if each.start_s < end_s)
        return self._with([replace(each, end_s=min(each.end_s, end_s)) for each in before])

    def _with(self, phonemes: Sequence[Phoneme]) -> "ArticulationFrame":
        frame = ArticulationFrame(phonemes, self.context_id)
        frame.interruptible = self.interruptible
        return frame

    @property
    def end_s(self) -> float:
        """Where it ends, from where it stands."""
        return max((each.end_s for each in self.phonemes), default=0.0)


class Articulate(TTSService):
    """A TTSService that tells what it articulates, when that goes out beside its sound.

    It appends to its audio contexts ArticulationFrames whose times count from the first sound of
    the context, as those of words do. They leave with times from where they stand.
    """

    # How much of the sound of the context has gone out.
    _sounded_s = 0.0

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Push a frame; count the sound, and place what is articulated in it."""
        if isinstance(frame, TTSStartedFrame | TTSStoppedFrame):
            self._sounded_s = 0.0
        elif isinstance(frame, TTSAudioRawFrame):
            self._sounded_s += frame.num_frames / frame.sample_rate
        elif isinstance(frame, ArticulationFrame):
            frame = frame.moved(-self._sounded_s)
        await super().push_frame(frame, direction)
