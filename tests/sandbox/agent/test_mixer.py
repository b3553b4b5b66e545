"""Several microphones become one sound, whichever of them is late or silent."""

import numpy as np

from sandbox.agent.mixer import LATE_MS, PIECE_MS, RATE, Mixer

PIECE_BYTES = 2 * RATE * PIECE_MS // 1000


def piece(level: int) -> bytes:
    """20 ms of one level."""
    return np.full(PIECE_BYTES // 2, level, "<i2").tobytes()


def test_one_microphone_is_passed_on_in_whole_pieces() -> None:
    mixer = Mixer()
    assert mixer.hear("a", piece(1)[:100]) == b""
    assert mixer.hear("a", piece(1)[100:] + piece(2)[:50]) == piece(1)


def test_two_are_added_up_and_do_not_take_twice_the_time() -> None:
    mixer = Mixer()
    mixer.hear("b", b"")
    heard = [mixer.hear(who, piece(level)) for _ in range(3) for who, level in (("a", 1), ("b", 2))]
    assert b"".join(heard) == 3 * piece(3)


def test_what_is_too_loud_is_cut() -> None:
    mixer = Mixer()
    mixer.hear("b", b"")
    assert mixer.hear("a", piece(30_000)) + mixer.hear("b", piece(30_000)) == piece(32_767)


def test_one_that_falls_silent_is_waited_for_once() -> None:
    mixer = Mixer()
    mixer.hear("b", b"")
    whole = LATE_MS // PIECE_MS
    heard = [mixer.hear("a", piece(1)) for _ in range(whole)]
    assert heard == [b""] * (whole - 1) + [whole * piece(1)]
    assert mixer.hear("a", piece(1)) == piece(1)
    mixer.hear("b", piece(2))
    assert mixer.hear("a", piece(1)) == piece(3)
