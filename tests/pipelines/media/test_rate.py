"""How many pictures are drawn, by how late they come."""

import pytest

from pipelines.media import rate
from pipelines.media.rate import LOST_S, PATIENCE_S, WINDOW_S, Rate, any_still, drawing, paces

TICK_S = 0.04
LATE, ON_TIME = 0.1, 0.005


class Viewer:
    """Notes each picture of a face, which is as late as `lateness` says of the moment and pace."""

    def __init__(self, lateness):
        self.rate, self.now_s, self.changes = Rate(), 0.0, []
        self._lateness = lateness

    def watch(self, seconds):
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += TICK_S
            if self.rate.wants():
                self.rate.drawn()
                late_s = self._lateness(self.now_s, self.rate.pace)
                if self.rate.note(self.now_s, late_s):
                    self.changes.append((round(self.now_s, 1), self.rate.pace))
        return self.rate.pace


def test_pictures_that_come_in_time_are_all_drawn():
    viewer = Viewer(lambda now_s, pace: ON_TIME)
    assert viewer.watch(60) == "25"
    assert viewer.changes == []


def test_late_pictures_give_way_half_and_then_all_but_one_a_second():
    viewer = Viewer(lambda now_s, pace: LATE)
    viewer.watch(60)
    assert viewer.changes == [(5.0, "12.5"), (10.1, "1")]
    assert viewer.rate.is_still


def test_bursts_of_late_pictures_do_not_count():
    viewer = Viewer(lambda now_s, pace: 0.4 if now_s % 5 < 2 else ON_TIME)
    viewer.watch(60)
    assert viewer.changes == []


@pytest.mark.parametrize(("pace", "seen"), [("25", 50), ("12.5", 25), ("1", 2)])
def test_so_many_pictures_are_seen_in_two_seconds(pace, seen):
    slow = rate.PACES[: rate.PACES.index(pace)]
    viewer = Viewer(lambda now_s, pace: LATE if pace in slow else 0.035)
    assert viewer.watch(15) == pace
    drawn = 0
    for _ in range(50):
        if viewer.rate.wants():
            viewer.rate.drawn()
            drawn += 1
    assert drawn == seen


def test_a_picture_that_was_missed_is_not_waited_for_again():
    viewer = Viewer(lambda now_s, pace: LATE)
    viewer.watch(15)
    viewer.rate.drawn()
    assert not viewer.rate.wants()
    viewer.rate.missed()
    assert viewer.rate.wants()


def test_a_picture_a_second_is_shown_however_late_it_comes():
    pace = Rate()
    for _ in range(25):
        pace.wants()
        assert not pace.is_overdue
    pace.wants()
    assert pace.is_overdue
    pace.shown()
    assert not pace.is_overdue


def test_pictures_come_back_one_step_at_a_time_once_there_is_time_for_long():
    viewer = Viewer(lambda now_s, pace: LATE if now_s < 12 else ON_TIME)
    viewer.watch(60)
    _, _, (half_s, half), (all_s, every) = viewer.changes
    assert (half, every) == ("12.5", "25")
    assert half_s == pytest.approx(12 + PATIENCE_S, abs=WINDOW_S)
    assert all_s == pytest.approx(half_s + PATIENCE_S, abs=1)


def test_a_machine_that_has_time_for_fewer_only_is_asked_ever_less_often():
    viewer = Viewer(lambda now_s, pace: LATE if pace == "25" else ON_TIME)
    viewer.watch(300)
    falls = [at_s for at_s, pace in viewer.changes if pace == "12.5"]
    waits = [round(b - a) for a, b in zip(falls, falls[1:], strict=False)]
    assert waits == [15, 25, 45, 85, 85]


def test_a_load_that_comes_anew_after_a_good_while_is_not_held_against_it():
    load = lambda now_s: now_s % 100 < 10  # noqa: E731
    viewer = Viewer(lambda now_s, pace: LATE if load(now_s) else ON_TIME)
    viewer.watch(400)
    rises = [at_s for at_s, pace in viewer.changes if pace == "25"]
    assert len(rises) == 4
    assert max(at_s % 100 for at_s in rises) < 45


def test_a_face_that_stands_still_is_known_as_long_as_it_is_drawn():
    viewer = Viewer(lambda now_s, pace: LATE)
    with drawing(viewer.rate):
        assert not any_still()
        viewer.watch(15)
        with drawing(Rate()):
            assert any_still()
            assert paces() == {"25": 1, "12.5": 0, "1": 1}
    assert not any_still()
    assert set(paces().values()) == {0}


def test_faces_of_one_process_give_way_in_turn_and_come_back_in_turn():
    viewer = Viewer(lambda now_s, pace: LATE if now_s < 16 else ON_TIME)
    other = Viewer(lambda now_s, pace: ON_TIME)
    seen = []
    with drawing(viewer.rate), drawing(other.rate):
        while viewer.now_s < 60:
            pair = (viewer.watch(TICK_S), other.watch(TICK_S))
            seen += [] if pair in seen[-1:] else [pair]
    half, still = "12.5", "1"
    falls = [("25", "25"), (half, "25"), (half, half), (still, half)]
    assert seen[:4] == falls and seen[-1] == ("25", "25")
    assert seen[4] == (half, half)


def test_whichever_face_rose_in_vain_all_are_asked_less_often():
    seen = []
    one = Viewer(lambda now_s, pace: LATE if rate.paces()["25"] == 2 else ON_TIME)
    other = Viewer(lambda now_s, pace: ON_TIME)
    with drawing(one.rate), drawing(other.rate):
        while one.now_s < 200:
            before = rate.paces()["25"]
            one.watch(TICK_S)
            other.watch(TICK_S)
            if rate.paces()["25"] < before:
                seen.append(one.now_s)
    waits = [round(b - a) for a, b in zip(seen, seen[1:], strict=False)]
    assert waits == [15, 25, 45, 85][: len(waits)] and len(waits) >= 3


def test_a_voice_that_loses_time_on_its_way_is_given_more_of_it_at_once():
    viewer = Viewer(lambda now_s, pace: ON_TIME)
    viewer.watch(20)
    while viewer.rate.pace == "25" and viewer.now_s < 25:
        viewer.rate.waited(viewer.now_s, 0.012)
        viewer.watch(TICK_S)
    assert viewer.now_s == pytest.approx(20 + LOST_S / 0.012 * TICK_S, abs=0.1)
    assert viewer.changes[-1][1] == viewer.rate.pace == "12.5"


def test_a_voice_that_makes_up_for_what_it_has_lost_needs_no_more():
    viewer = Viewer(lambda now_s, pace: ON_TIME)
    while viewer.now_s < 60:
        viewer.rate.waited(viewer.now_s, 0.3 if viewer.now_s % 2 < TICK_S else -0.02)
        viewer.watch(TICK_S)
    assert viewer.changes == []


def test_of_pictures_that_nobody_sees_one_a_second_is_drawn():
    viewer = Viewer(lambda now_s, pace: ON_TIME)
    viewer.rate.seen = False
    drawn = 0
    for _ in range(100):
        if viewer.rate.wants():
            viewer.rate.drawn()
            drawn += 1
    viewer.rate.seen = True
    assert (drawn, viewer.rate.wants(), viewer.rate.pace) == (4, True, "25")
