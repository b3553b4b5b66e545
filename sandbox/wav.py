"""Speech as a WAV file."""

import io
import wave

from liveavatar.wire import SAMPLE_RATE


def wav_of(pcm: bytes) -> bytes:
    """A WAV file of s16le mono 24 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, SAMPLE_RATE, 0, "NONE", "not compressed"))
        sound.writeframes(pcm)
    return file.getvalue()
