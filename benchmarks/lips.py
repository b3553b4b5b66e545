"""The puppet's lips, told and heard: `uv run --with pocketsphinx python -m benchmarks.lips`.

Hibari says 200 sentences. The lips follow what it tells of its phonemes, and what they hear of the
sound alone. Both are compared with where PocketSphinx, which knows neither, finds the phonemes of
the sentence in the sound: how many p, b and m have shut lips in a picture within 40 ms, how many
open vowels an open mouth, how the opening goes with that of the phonemes found, and how much it
trembles. In each silence of more than 200 ms the mouth is to be shut, but for the pictures next to
the sound. Sentences with words that PocketSphinx does not know are left out.

`--sheet FILE` draws the mouths of some sentences, instead.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import soxr

from benchmarks.report import Report, options_parser
from puppet import FPS, SAMPLE_RATE, Phone, Player, load_pack
from puppet.motion import Motion
from puppet.phones import STRESSES
from puppet.speech import Speech
from tests.speech import told

SENTENCES = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
SHOWN = [
    "Bob may pump up the map.",
    "Five fine vans over there.",
    "Each week we choose two blue shoes.",
]
WAYS = ("told", "heard")
RATE, STEP_S = 16_000, 0.01
FRAME_S = 1 / FPS
SHUT, OPEN = 0.12, 0.35
# Of full scale, in 10 ms.
SILENT, SILENCE_S, EDGE_S = 0.005, 0.2, 0.08
# How far a mouth is open for what PocketSphinx names; by eye, from phonetics, not from the puppet.
OPENING = {
    **dict.fromkeys(("AA", "AE", "AO", "AW", "AY"), 0.8),
    **dict.fromkeys(("AH", "EH", "EY", "OW", "OY"), 0.55),  # AH also stands for the vowel of "the"
    **dict.fromkeys(("ER", "IH", "IY", "UH", "UW"), 0.3),
    **dict.fromkeys(("HH", "L", "K", "G", "NG", "Y"), 0.25),
    **dict.fromkeys(("R", "T", "D", "N", "TH", "DH", "CH", "JH", "SH", "ZH"), 0.18),
    **dict.fromkeys(("S", "Z", "W", "F", "V"), 0.1),
}
LIPS, WIDE = ("P", "B", "M"), ("AA", "AE", "AO", "AY", "AW")
LASTS_S = 0.07
COLUMNS, CELL = 20, (88, 66)
LETTERS = dict(zip("ɑæʌəɔɛɪʊɹðθʃʒŋɡɾɜ", "A{V@OEIUrDTSZNgt3", strict=True))


@dataclass(frozen=True)
class Found:
    """A phoneme where PocketSphinx finds it, by its name in ARPAbet."""

    name: str
    start_s: float
    end_s: float


def mouths(sound: np.ndarray, phones: Sequence[Phone]) -> np.ndarray:
    """How far the mouth is open in each picture; what is not told is heard."""
    speech, motion = Speech(), Motion(((0.0, 1.0),), 0)
    speech.articulate(phones)
    speech.pcm += sound.tobytes()
    speech.ended = True
    opened = []
    while cue := speech.next_cue():
        opened.append(motion.step("speaking", cue.lips()).open)
    return np.array(opened)


def aligner() -> Callable[[str, np.ndarray], list[Found]]:
    """Finds the phonemes of a text in a sound; none if it does not know a word."""
    from pocketsphinx import Decoder  # pyright: ignore[reportMissingImports]

    decoder = Decoder(samprate=RATE, bestpath=False, loglevel="FATAL")

    def once(pcm: bytes) -> None:
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()

    def align(text: str, sound: np.ndarray) -> list[Found]:
        plain = "".join(c if c.isalpha() or c in "' " else " " for c in text.lower()).split()
        if any(decoder.lookup_word(word) is None for word in plain):
            return []
        pcm = soxr.resample(sound, SAMPLE_RATE, RATE).astype(np.int16).tobytes()
        decoder.set_align_text(" ".join(plain))
        once(pcm)
        decoder.set_alignment()
        once(pcm)
        found = [phone for word in decoder.get_alignment() for phone in word]
        return [Found(p.name, p.start * STEP_S, (p.start + p.duration) * STEP_S) for p in found]

    return align


def reference(found: Sequence[Found], count: int) -> np.ndarray:
    """How far a mouth is open in each of so many pictures, over 80 ms, for what was found."""
    curve = np.zeros(round(count * FRAME_S / STEP_S) + 1)
    for phone in found:
        curve[round(phone.start_s / STEP_S) : round(phone.end_s / STEP_S)] = OPENING.get(
            phone.name, 0.0
        )
    window = np.hanning(10)[1:-1]
    smooth = np.convolve(curve, window / window.sum(), "same")
    return np.interp((np.arange(count) + 0.5) * FRAME_S, np.arange(len(smooth)) * STEP_S, smooth)


def near(opened: np.ndarray, phone: Found, within_s: float) -> np.ndarray:
    """The pictures whose middle is in a phoneme, or so far from it at most."""
    centres = (np.arange(len(opened)) + 0.5) * FRAME_S
    kept = (centres > phone.start_s - within_s) & (centres < phone.end_s + within_s)
    return opened[kept]


def silences(sound: np.ndarray) -> list[tuple[float, float]]:
    """Where nothing is heard for more than 200 ms, without the edges, in seconds."""
    size = round(STEP_S * SAMPLE_RATE)
    pieces = sound[: len(sound) // size * size].reshape(-1, size).astype(float) / 32768
    quiet = np.concatenate([[False], np.sqrt((pieces**2).mean(1)) < SILENT, [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(int))) * STEP_S
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [(start + EDGE_S, end - EDGE_S) for start, end in spans if end - start > SILENCE_S]


def opens_in(opened: np.ndarray, span: tuple[float, float]) -> bool:
    """Whether the mouth is open in some picture of a silence."""
    return bool((near(opened, Found("", *span), 0.0) > SHUT).any())


class Tally:
    """What was found of one way of moving the lips."""

    def __init__(self) -> None:
        self.shut: list[bool] = []
        self.open: list[bool] = []
        self.pauses: list[bool] = []
        self.alike: list[float] = []
        self.trembles: list[float] = []

    def add(self, opened: np.ndarray, sound: np.ndarray, found: Sequence[Found]) -> None:
        """Another sentence."""
        self.pauses += [opens_in(opened, span) for span in silences(sound)]
        for phone in found:
            if phone.name in LIPS:
                self.shut.append(bool(near(opened, phone, FRAME_S).min(initial=1) < SHUT))
            elif phone.name in WIDE and phone.end_s - phone.start_s > LASTS_S:
                self.open.append(bool(near(opened, phone, 0.0).max(initial=0) > OPEN))
        if found:
            wanted = reference(found, len(opened))
            self.alike.append(float(np.corrcoef(opened, wanted)[0, 1]))
            ratio = [np.abs(np.diff(curve, 2)).mean() for curve in (opened, wanted)]
            self.trembles.append(float(ratio[0] / ratio[1]))

    def report(self, way: str, report: Report) -> None:
        """Its figures."""
        shut, wide = (100 * float(np.mean(found)) for found in (self.shut, self.open))
        report.add(f"{way}: lips shut at p, b and m, of {len(self.shut)}", "%", [shut])
        report.add(f"{way}: open vowels seen open, of {len(self.open)}", "%", [wide])
        report.add(f"{way}: open in silences, of {len(self.pauses)}", "", [sum(self.pauses)])
        report.add(f"{way}: opening as that of the phonemes found", "r", self.alike)
        report.add(f"{way}: trembling, of the phonemes found", "times", self.trembles)


def measure(report: Report) -> None:
    """Say everything, and note the figures."""
    align = aligner()
    tallies = {way: Tally() for way in WAYS}
    cpu_us: dict[str, list[float]] = {way: [] for way in WAYS}
    for text in SENTENCES:
        pcm, phones = told(text)
        sound = np.frombuffer(pcm, np.int16)
        found = align(text, sound)
        for way, tally in tallies.items():
            began_s = time.thread_time()
            opened = mouths(sound, phones if way == "told" else [])
            cpu_us[way].append(1e6 * (time.thread_time() - began_s) / len(opened))
            tally.add(opened, sound, found)
    for way, tally in tallies.items():
        tally.report(way, report)
        report.add(f"{way}: CPU a picture, lips and motion", "us", cpu_us[way])
    ratios = [one / other for one, other in zip(*cpu_us.values(), strict=True)]
    report.add("CPU, told of heard", "times", ratios)


def strip(text: str, way: str) -> np.ndarray:
    """The mouths of a sentence, picture after picture, with what is heard in each."""
    pcm, phones = told(text)
    player = Player(load_pack("mira"), (640, 360), seed=2)
    player.articulate(phones if way == "told" else [])
    player.speak(pcm)
    player.end()
    # The time of a mark is that of the sound after it.
    after = [*phones[1:], phones[-1]]
    heard = [
        p._replace(symbol=n.symbol) if p.symbol in STRESSES else p
        for p, n in zip(phones, after, strict=True)
    ]
    cells = []
    while player.speaking:
        at_s = (len(cells) + 0.5) * FRAME_S
        symbols = [p.symbol for p in heard if p.start_s <= at_s < p.end_s]
        frame = player.tick()
        cells.append(_cell(frame.image, "".join(LETTERS.get(c, c) for c in "".join(symbols))))
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)]
    head = np.full((22, rows[0].shape[1], 3), 255, np.uint8)
    _write(head, f"{way}: {text}", (4, 16))
    return np.vstack([head, *rows])


def _cell(image: np.ndarray, symbols: str) -> np.ndarray:
    """A mouth, RGB, with a line of text."""
    picture = cv2.cvtColor(image, cv2.COLOR_YUV2BGR_I420)[178:244, 276:364]
    label = np.full((16, CELL[0], 3), 255, np.uint8)
    _write(label, symbols.encode("ascii", "ignore").decode(), (4, 12))
    return np.vstack([cv2.resize(picture, CELL), label])


def _write(image: np.ndarray, text: str, at: tuple[int, int]) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)


def main() -> None:
    """Measure and print, or draw."""
    parser = options_parser(__doc__)
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw mouths into an image")
    options: argparse.Namespace = parser.parse_args()
    if options.sheet:
        sheet = np.vstack([strip(text, way) for text in SHOWN for way in WAYS])
        cv2.imwrite(str(options.sheet), sheet, [cv2.IMWRITE_WEBP_QUALITY, 80])
        return
    report = Report("The puppet's lips", options)
    measure(report)
    report.finish()


if __name__ == "__main__":
    main()
