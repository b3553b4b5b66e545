"""What the puppet's face does besides speaking, drawn: `python -m benchmarks.faces FILE`."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from puppet import Frame, Player, load_pack
from tests.speech import told

SIZE = (640, 360)
HEAD = (slice(55, 265), slice(240, 400))
CELL = (165, 216)
COLUMNS, STEP = 8, 4
GREETING, QUESTION = "Hello, and welcome to this place.", "Would you like a cup of tea?"
PHRASES = "First we measure, then we decide, and only then do we build."


def play(player: Player, text: str) -> Iterator[Frame]:
    """What is seen while a text is said."""
    pcm, phones = told(text)
    player.think(False)
    player.articulate(phones)
    player.speak(pcm)
    player.end()
    while player.speaking:
        yield player.tick()


def greets(player: Player) -> list[Frame]:
    """From rest to a greeting."""
    player.greet()
    return [player.tick() for _ in range(4)] + [*play(player, GREETING)]


def nods(player: Player) -> list[Frame]:
    """While the user speaks, and at the end of it."""
    player.listen(True)
    listening = [player.tick() for _ in range(40)][-8:]
    player.nod()
    return listening + [player.tick() for _ in range(30)]


def thinks(player: Player) -> list[Frame]:
    """Until it answers."""
    player.think(True)
    return [player.tick() for _ in range(20)] + [*play(player, PHRASES)][:20]


def asks(player: Player) -> list[Frame]:
    """The end of a question."""
    return [*play(player, QUESTION)][-STEP * COLUMNS - 4 :]


def blinks(player: Player) -> list[Frame]:
    """Around the first comma."""
    frames = [*play(player, PHRASES)]
    first = next(n for n, frame in enumerate(frames) if n > 10 and frame.mouth == 0)
    return frames[max(0, first - 8) :][: STEP * COLUMNS]


ROWS: dict[str, tuple[Callable[[Player], list[Frame]], int]] = {
    "a greeting": (greets, STEP),
    "listening, and a nod": (nods, STEP),
    "thinking, and back to speak": (thinks, STEP),
    "a question": (asks, STEP),
    "a blink between phrases": (blinks, 2),
}


def row(name: str, seed: int) -> np.ndarray:
    """Some pictures of one thing that the face does, BGR."""
    of, step = ROWS[name]
    player = Player(load_pack("mira"), SIZE, seed)
    for _ in range(25):
        player.tick()
    shown = [_cell(frame.image) for frame in of(player)[::step][:COLUMNS]]
    head = np.full((24, COLUMNS * CELL[0], 3), 255, np.uint8)
    black = (0, 0, 0)
    cv2.putText(head, name, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, black, 1, cv2.LINE_AA)
    return np.vstack([head, np.hstack(shown)])


def _cell(image: np.ndarray) -> np.ndarray:
    head = cv2.cvtColor(image, cv2.COLOR_YUV2BGR_I420)[HEAD]
    return cv2.resize(head, CELL, interpolation=cv2.INTER_AREA)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="an image to write")
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    sheet = np.vstack([row(name, options.seed) for name in ROWS])
    cv2.imwrite(str(options.file), sheet, [cv2.IMWRITE_WEBP_QUALITY, 80])


if __name__ == "__main__":
    main()
