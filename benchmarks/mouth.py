"""How well `avatar eval` tells a mouth where the truth is known: `python -m benchmarks.mouth`.

The puppets say nine sentences of Hibari's and are cut off, as VP8 as it is sent. How far the mouth
is open in each picture is known; so is that sound and mouth belong together, and by how much they
are apart once the sound is moved.
"""

import fractions
from collections.abc import Iterator
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
SEEDS = (5, 6, 7)
# Seconds at the beginning and at the end, and before each of what is said.
REST_S, THINKS_S, CUT_AFTER_S = 3.0, 1.0, 4.0
SHUT, OPEN, MOVED_S = 0.05, 0.3, 0.2
SILENCE = bytes(2 * SAMPLES_PER_FRAME)


@dataclass
class Scene:
    """A puppet before a camera: what is seen, and how far its mouth is open in truth."""

    player: Player
    frames: list[Frame] = field(default_factory=list)
    interruptions_s: list[float] = field(default_factory=list)

    def rest(self, seconds: float) -> None:
        """Be silent."""
        self.frames += [self.player.tick() for _ in range(round(seconds * FPS))]

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
            self.frames.append(self.player.tick())
        self.player.interrupt()
        self.interruptions_s.append(len(self.frames) / FPS)

    def seen(self, bit_s: int = 0) -> Sighting:
        """What a viewer gets of it, as VP8 of so many bit/s, or as it is drawn."""
        size = self.frames[0].size
        at_s = (np.arange(len(self.frames)) + 0.5) / FPS
        pcm = b"".join(frame.audio or SILENCE for frame in self.frames)
        sound = np.frombuffer(pcm, np.int16)
        voice, open_ = loudness(sound, SAMPLE_RATE), vowels(sound, SAMPLE_RATE)
        images = [frame.image for frame in self.frames]
        lumas = _sent(images, size, bit_s) if bit_s else (image[: size[1]] for image in images)
        return Sighting(
            np.stack([smaller(picture) for picture in lumas]), at_s, at_s, [(0.0, size)],
            voice, open_.much, voice.at_s, list(self.interruptions_s), len(at_s) / FPS,
        )  # fmt: skip

    @property
    def truth(self) -> np.ndarray:
        """How far the mouth is open in each picture: 0 shut .. 1."""
        return np.array([frame.mouth for frame in self.frames])


def _sent(images: list[np.ndarray], size: tuple[int, int], bit_s: int) -> Iterator[np.ndarray]:
    """Pictures (I420) as a browser decodes them: luma, uint8 (height, width)."""
    encoder, decoder = CodecContext.create("libvpx", "w"), CodecContext.create("vp8", "r")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.bit_rate = "yuv420p", bit_s
    encoder.time_base = fractions.Fraction(1, FPS)
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    for number, image in enumerate(images):
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            for decoded in decoder.decode(packet):
                yield luma(decoded)


def played(pack: str, size: tuple[int, int], seed: int) -> Scene:
    """A greeting with a smile that is cut off, an answer, and one that is cut off."""
    scene = Scene(Player(load_pack(pack), size, seed))
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
    opened, shut, moved_ms, offset_ms, unsure_ms = [], [], [], [], []
    for seed in SEEDS:
        scene = played(pack, size, seed)
        seen, truth = scene.seen(bit_s), scene.truth
        mouth = Pictures(seen).mouth()
        opens = mouth.open > mouth.limit
        opened.append(100 * opens[truth >= OPEN].mean())
        shut.append(100 * (~opens)[truth < SHUT].mean())
        step = in_step(seen)
        later = in_step(replace(seen, voice_belongs_s=seen.voice_belongs_s + MOVED_S))
        offset_ms.append(1000 * step.behind_s)
        unsure_ms.append(2000 * step.unsure_s)
        moved_ms.append(1000 * (later.behind_s - step.behind_s - MOVED_S))
    name = f"{pack}, {size[0]}x{size[1]}"
    report.add(f"{name}: open mouths taken for open", "%", opened)
    report.add(f"{name}: shut mouths taken for shut", "%", shut)
    report.add(f"{name}: sound behind the mouth", "ms", offset_ms)
    report.add(f"{name}: uncertainty told", "ms", unsure_ms)
    report.add(f"{name}: error of a shift of 200 ms", "ms", moved_ms)
    report.add(f"{name}: other words refused", "%", [100.0 * _refused(seen)])


def _refused(seen: Sighting) -> bool:
    """Whether a face is found out that moves to what was said backwards."""
    try:
        Pictures(replace(seen, pictures=seen.pictures[::-1])).mouth()
    except Untold:
        return True
    return False


if __name__ == "__main__":
    main()
