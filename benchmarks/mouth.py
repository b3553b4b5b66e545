"""How well `avatar eval` tells a mouth where the truth is known: `python -m benchmarks.mouth`.

The puppets say nine sentences of Hibari's and are cut off, as VP8 as it is sent. How far the mouth
is open in each picture is known; so is that sound and mouth belong together, and by how much they
are apart once the sound is moved.
"""

import fractions
from dataclasses import dataclass, field, replace

import numpy as np
from av import CodecContext, VideoFrame

from benchmarks.report import Report, options_parser
from bots.eval.curve import loudness, vowels
from bots.eval.mouth import Pictures, Untold
from bots.eval.sighting import Sighting
from bots.eval.step import in_step
from bots.eval.viewer import smaller
from bots.eval.visitor import luma
from puppet import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME, Frame, Player, load_pack
from tests.speech import SENTENCES, told

PACKS = ("mira", "theo")
# And what it is encoded with, in bit/s.
SIZES = {(1280, 720): 1_500_000, (320, 180): 200_000}
SEEDS = (5,)
# Seconds at the beginning and at the end, and before each of what is said.
REST_S, THINKS_S, CUT_AFTER_S = 3.0, 1.0, 4.0
SHUT, OPEN, MOVED_S = 0.05, 0.3, 0.2
SILENCE = bytes(2 * SAMPLES_PER_FRAME)


class Camera:
    """Pictures as they are drawn."""

    def luma(self, frame: Frame) -> np.ndarray:
        """What is seen of one: uint8 (height, width)."""
        return frame.image[: frame.size[1]]


class Codec(Camera):
    """Pictures as a browser decodes them, from VP8 of so many bit/s."""

    def __init__(self, size: tuple[int, int], bit_s: int) -> None:
        self._decoder = CodecContext.create("vp8", "r")
        self._encoder = CodecContext.create("libvpx", "w")
        self._encoder.width, self._encoder.height = size
        self._encoder.pix_fmt, self._encoder.bit_rate = "yuv420p", bit_s
        self._encoder.time_base = fractions.Fraction(1, FPS)
        self._encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}

    def luma(self, frame: Frame) -> np.ndarray:
        """What is seen of one."""
        drawn = VideoFrame.from_ndarray(np.ascontiguousarray(frame.image), format="yuv420p")
        (packet,) = self._encoder.encode(drawn)
        (sent,) = self._decoder.decode(packet)
        return luma(sent)


@dataclass
class Scene:
    """A puppet before a camera: what is seen, and how far its mouth is open in truth (0 .. 1)."""

    player: Player
    camera: Camera = field(default_factory=Camera)
    size: tuple[int, int] = (0, 0)
    pictures: list[np.ndarray] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    mouths: list[float] = field(default_factory=list)
    interruptions_s: list[float] = field(default_factory=list)

    def tick(self) -> None:
        """Look at one picture, and listen."""
        frame = self.player.tick()
        self.size = frame.size
        self.pictures.append(smaller(self.camera.luma(frame)))
        self.sounds.append(frame.audio or SILENCE)
        self.mouths.append(frame.mouth)

    def rest(self, seconds: float) -> None:
        """Be silent."""
        for _ in range(round(seconds * FPS)):
            self.tick()

    def say(self, text: str, cut_after_s: float = 60.0) -> None:
        """Think, and say a text until it is cut off."""
        pcm, phones = told(text)
        self.player.think(True)
        self.rest(THINKS_S)
        self.player.think(False)
        self.player.articulate(phones)
        self.player.speak(pcm)
        self.player.end()
        for _ in range(round(cut_after_s * FPS)):
            if not self.player.speaking:
                return
            self.tick()
        self.player.interrupt()
        self.interruptions_s.append(len(self.pictures) / FPS)

    @property
    def seen(self) -> Sighting:
        """What a viewer gets of it."""
        at_s = (np.arange(len(self.pictures)) + 0.5) / FPS
        sound = np.frombuffer(b"".join(self.sounds), np.int16)
        voice, open_ = loudness(sound, SAMPLE_RATE), vowels(sound, SAMPLE_RATE)
        return Sighting(
            np.stack(self.pictures), at_s, at_s, [(0.0, self.size)],
            voice, open_.much, voice.at_s, list(self.interruptions_s), len(at_s) / FPS,
        )  # fmt: skip


def played(pack: str, size: tuple[int, int], bit_s: int, seed: int) -> Scene:
    """A greeting with a smile that is cut off, an answer, and one that is cut off."""
    scene = Scene(Player(load_pack(pack), size, seed), Codec(size, bit_s))
    scene.rest(REST_S)
    scene.player.greet()
    scene.say(" ".join(SENTENCES[:3]), CUT_AFTER_S)
    scene.player.listen(True)
    scene.rest(1)
    scene.player.nod()
    scene.player.listen(False)
    scene.say(" ".join(SENTENCES[3:6]))
    scene.say(" ".join(SENTENCES[6:9]), CUT_AFTER_S)
    scene.rest(REST_S)
    return scene


def main() -> None:
    """Report each puppet at each size."""
    options = options_parser(__doc__).parse_args()
    report = Report("Mouths told from pictures", options)
    for pack in PACKS:
        for size, bit_s in SIZES.items():
            _measure(report, pack, size, bit_s)
    report.finish()


def _measure(report: Report, pack: str, size: tuple[int, int], bit_s: int) -> None:
    figures: dict[tuple[str, str], list[float]] = {}
    for seed in SEEDS:
        scene = played(pack, size, bit_s, seed)
        for what, value in _figures(scene.seen, np.array(scene.mouths)).items():
            figures.setdefault(what, []).append(value)
    for (name, unit), values in figures.items():
        report.add(f"{pack}, {size[0]}x{size[1]}: {name}", unit, values)


def _figures(seen: Sighting, truth: np.ndarray) -> dict[tuple[str, str], float]:
    step = in_step(seen)
    later = in_step(replace(seen, voice_belongs_s=seen.voice_belongs_s + MOVED_S))
    opens = step.mouth.open > step.mouth.limit
    return {
        ("open mouths taken for open", "%"): 100 * opens[truth >= OPEN].mean(),
        ("shut mouths taken for shut", "%"): 100 * (~opens)[truth < SHUT].mean(),
        ("likeness", "r"): step.mouth.alike,
        ("sound behind the mouth", "ms"): 1000 * step.behind_s,
        ("uncertainty told of it", "ms"): 2000 * step.unsure_s,
        ("error of a shift of 200 ms", "ms"): 1000 * (later.behind_s - step.behind_s - MOVED_S),
        ("a mouth that moves to other words refused", "%"): 100.0 * _refused(seen),
    }


def _refused(seen: Sighting) -> bool:
    """Whether a face is found out that moves to what was said backwards."""
    try:
        Pictures(replace(seen, pictures=seen.pictures[::-1])).mouth()
    except Untold:
        return True
    return False


if __name__ == "__main__":
    main()
