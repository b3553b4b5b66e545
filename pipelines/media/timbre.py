"""Another speaker from the same Hibari model: pitch and the resonances of mouth and throat apart.

The model gives for every frame of 12.5 ms the pitch and the spectra of its three sources: the
harmonics of the voice, noise, and what has a phase of its own. A larger speaker has a lower pitch,
and the resonances of a longer throat.
"""

from dataclasses import dataclass

import numpy as np

BIN_HZ = 20.0
SILENT = -9.0  # as a natural logarithm
VOICED_HZ = 40.0


@dataclass(frozen=True)
class Timbre:
    """How much higher the voice is, and its resonances are, than the model's own."""

    pitch: float = 1.0
    resonance: float = 1.0

    def __call__(
        self,
        harmonics: np.ndarray,
        turns: np.ndarray,
        noise: np.ndarray,
        rest: np.ndarray,
        phases: np.ndarray,
        pitch_hz: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the model says of a sound, as this speaker would have it.

        Args:
            harmonics: logarithms of their magnitudes, float32 (601 bins of 20 Hz, frames), as all
                but the pitch.
            turns: their phases.
            noise: logarithms of its magnitudes.
            rest: logarithms of the magnitudes of what has phases of its own.
            phases: those.
            pitch_hz: float32 (frames,), 0 without a voice.
        """
        if self == Timbre():
            return harmonics, turns, noise, rest, phases, pitch_hz
        return (
            self._between_harmonics(harmonics, pitch_hz),
            self._moved(turns),
            self._moved(noise, SILENT),
            self._moved(rest, SILENT),
            self._moved(phases),
            pitch_hz * np.float32(self.pitch),
        )

    def _bins(self, spectrum: np.ndarray) -> np.ndarray:
        """For each bin, where in the model's own spectrum it is."""
        return np.arange(len(spectrum), dtype=np.float32)[:, None] / np.float32(self.resonance)

    def _moved(self, spectrum: np.ndarray, beyond: float | None = None) -> np.ndarray:
        bins = np.rint(self._bins(spectrum)).astype(int)[:, 0]
        moved = spectrum[np.minimum(bins, len(spectrum) - 1)]
        if beyond is not None:
            moved[bins >= len(spectrum)] = beyond
        return moved

    def _between_harmonics(self, harmonics: np.ndarray, pitch_hz: np.ndarray) -> np.ndarray:
        """The envelope over the harmonics, moved.

        Between the harmonics of its own pitch the model's spectrum has gaps, which would sound in
        a voice of another pitch like a second one.
        """
        step = np.where(pitch_hz > VOICED_HZ, pitch_hz / BIN_HZ, 1.0).astype(np.float32)
        numbers = self._bins(harmonics) / step
        below = np.maximum(np.floor(numbers), 1.0)
        share = np.clip(numbers - below, 0.0, 1.0).astype(np.float32)
        at = [_picked(harmonics, (below + n) * step) for n in (0, 1)]
        return at[0] * (1 - share) + at[1] * share


def _picked(spectrum: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """The spectrum of each frame at some bins of it, silent beyond its last."""
    numbers = np.rint(bins).astype(int)
    inside = np.minimum(numbers, len(spectrum) - 1)
    picked = np.take_along_axis(spectrum, inside, axis=0)
    return np.where(numbers < len(spectrum), picked, np.float32(SILENT))
