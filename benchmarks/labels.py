"""Labelled recordings: where somebody paused, and where they had finished.

A folder holds recordings and a file `labels.jsonl`. Each of its lines is one recording:

    {"file": "a.wav", "end_s": 4.2, "pauses_s": [[1.1, 1.6]], "speaker": "Ann", "kind": "talk"}

`file` is a sound file with one speaker; 16 kHz is best, other rates are converted. `end_s` is where
the last sound of the voice ends if the speaker had then finished; null or left out if not.
`pauses_s` are the pauses inside it, from the last sound of the voice to the first after it. The
rest may be left out: `speaker`; `kind`, for example "talk", "reading" or "prompt"; `split`,
"tuning" or "test" (else "test"); `made`, true where the pauses were put in or lengthened
afterwards; `source`, where it is from.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 16000
LABELS = "labels.jsonl"
# The level of a sound is looked at in steps of 10 ms.
STEP = RATE // 100
STEP_S = 0.01
# Voice is so far above the loudest, above an absolute level, and above the noise of the room.
BELOW_PEAK_DB, FLOOR_DB, ABOVE_NOISE_DB, NEAR_PEAK_DB = 36.0, -58.0, 8.0, 20.0

Sound = np.ndarray
"""float32 (samples,), mono, 16 kHz."""


@dataclass(frozen=True)
class Recording:
    """A recording and what is known of it."""

    file: str
    end_s: float | None = None
    pauses_s: Sequence[tuple[float, float]] = ()
    speaker: str = "unknown"
    kind: str = "talk"
    split: str = "test"
    made: bool = False
    source: str = ""
    sound: Sound = field(default_factory=lambda: np.zeros(0, np.float32), repr=False, compare=False)

    @property
    def line(self) -> str:
        """Its line of the labels."""
        facts = {name: value for name, value in asdict(self).items() if name != "sound"}
        return json.dumps(facts)


def load(file: Path, rate_hz: int = 0) -> Sound:
    """A sound file; one without a head is s16le at `rate_hz`."""
    if file.suffix == ".raw":
        sound, rate_hz = np.fromfile(file, "<i2").astype(np.float32) / 32768, rate_hz or RATE
    else:
        sound, rate_hz = soundfile.read(file, dtype="float32")
    if sound.ndim > 1:
        sound = sound.mean(axis=1)
    return np.ascontiguousarray(soxr.resample(sound, rate_hz, RATE), np.float32)


def read(folder: Path) -> Iterator[Recording]:
    """The recordings of a folder, with their sound."""
    for line in (folder / LABELS).read_text().splitlines():
        facts = json.loads(line)
        yield Recording(**facts, sound=load(folder / facts["file"]))


def levels_db(sound: Sound) -> np.ndarray:
    """The level of every 10 ms, in dBFS."""
    steps = sound[: len(sound) // STEP * STEP].reshape(-1, STEP)
    return 10 * np.log10((steps**2).mean(axis=1) + 1e-10)


def voiced(sound: Sound) -> np.ndarray:
    """Which 10 ms hold voice, judged afterwards, when the peak and the noise are known."""
    levels = levels_db(sound)
    peak, noise = np.percentile(levels, [99, 3])
    return levels > max(
        peak - BELOW_PEAK_DB, FLOOR_DB, min(noise + ABOVE_NOISE_DB, peak - NEAR_PEAK_DB)
    )


def trimmed(sound: Sound, before_s: float = 0.05) -> Sound:
    """The voice without the silence around it; it ends with the last 10 ms of voice."""
    voice = np.flatnonzero(voiced(sound))
    begin = max(0, voice[0] * STEP - round(before_s * RATE))
    return sound[begin : (voice[-1] + 1) * STEP]


def quiet_s(sound: Sound) -> list[tuple[float, float]]:
    """The stretches without voice inside a sound."""
    steps = np.diff(voiced(sound).astype(int))
    falls, rises = np.flatnonzero(steps < 0) + 1, np.flatnonzero(steps > 0) + 1
    rises = rises[rises > falls[0]] if len(falls) else rises
    pairs = zip(falls, rises, strict=False)
    return [(float(a) * STEP_S, float(b) * STEP_S) for a, b in pairs]


def room(sound: Sound, seconds: float) -> Sound:
    """Silence as there is around a sound: noise as loud as its quietest moments, or softer."""
    quiet_db = min(float(np.percentile(levels_db(sound), 3)), -40.0) if len(sound) else -70.0
    noise = np.random.default_rng(len(sound)).normal(size=round(seconds * RATE))
    return (noise * 10 ** (max(quiet_db, -70.0) / 20)).astype(np.float32)
