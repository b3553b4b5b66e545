"""When a face is lost, and when it is tried again."""

import numpy as np
import pytest

from pipelines.guard import rules
from pipelines.guard.rules import Tries, Watch


def picture(number: int, brightness: int = 120) -> bytes:
    """A picture that differs from the one before it."""
    luma = np.full(9000, brightness, np.uint8)
    luma[::3] += number % 5 * 5
    return luma.tobytes()


def watched(until_s: float, pictures=picture, speaks=lambda now_s: False) -> rules.Loss | None:
    """Why a face is lost that is watched for so long, 25 pictures a second."""
    watch = Watch(0.0)
    for n in range(round(until_s * 25)):
        now_s = n / 25
        if (shown := pictures(n)) is not None:
            watch.seen(now_s, shown)
        if speaks(now_s):
            watch.heard(now_s)
        if loss := watch.loss(now_s, due_s=0.0):
            return loss
    return None


def test_a_face_that_moves_is_well():
    assert watched(30) is None


@pytest.mark.parametrize(
    ("pictures", "loss"),
    [
        pytest.param(lambda n: picture(n) if n < 50 else None, rules.BLIND, id="none come"),
        pytest.param(lambda n: picture(n) if n < 50 else bytes(9000), rules.BLACKED, id="black"),
        pytest.param(lambda n: picture(min(n, 50)), rules.STILL, id="one and the same"),
    ],
)
def test_a_face_is_lost_by_its_pictures(pictures, loss):
    assert watched(2 + rules.STILL_S + 1, pictures) is loss


def test_a_face_that_is_silent_may_stand_still_for_a_while():
    assert watched(rules.STILL_S - 1, lambda _: picture(0)) is None


def test_a_mouth_that_does_not_move_is_noticed_sooner():
    still = lambda _: picture(0)  # noqa: E731
    assert watched(rules.PICTURE_S + 1, still, speaks=lambda _: True) is rules.STILL


def test_a_face_is_lost_that_owes_an_answer():
    watch = Watch(0.0)
    watch.given(10.0)
    watch.seen(12.9, picture(0))
    assert watch.loss(12.9, due_s=1.0) is None
    watch.seen(13.1, picture(1))
    assert watch.loss(13.1, due_s=1.0) is rules.MUTE


def test_a_face_that_owes_next_to_nothing_is_not_lost():
    watch = Watch(0.0)
    watch.given(0.0)
    watch.seen(9.0, picture(0))
    assert watch.loss(9.0, due_s=rules.DUE_S / 2) is not rules.MUTE


def test_what_nobody_looked_at_does_not_count():
    watch = Watch(0.0)
    watch.given(0.0)
    watch.excuse(9.0)
    assert watch.loss(9.5, due_s=1.0) is None


def test_a_face_is_tried_again_after_longer_and_longer():
    tries, now_s, waited = Tries(), 0.0, []
    while not waited or len(waited) < len(rules.RETRIES_S):
        tries.failed(now_s)
        since_s = now_s
        while not tries.due(now_s):
            now_s += 0.5
        waited.append(now_s - since_s)
    assert waited == list(rules.RETRIES_S)
    tries.failed(now_s)
    assert not tries.due(now_s + 1e6) and not tries.is_idle


def test_a_face_that_stayed_is_tried_again_soon():
    tries = Tries()
    for _ in range(4):
        tries.failed(0.0)
    tries.failed(100.0, stayed_s=rules.WELL_S + 1)
    assert tries.due(100.0 + rules.RETRIES_S[0])


def test_a_face_whose_sessions_last_a_minute_is_not_given_up():
    tries = Tries()
    for _ in range(20):
        tries.failed(0.0, stayed_s=55.0)
    assert tries.due(rules.RETRIES_S[0])


def test_what_is_refused_is_not_tried_again():
    tries = Tries()
    tries.failed(0.0, for_good=True)
    assert not tries.due(1e6)
