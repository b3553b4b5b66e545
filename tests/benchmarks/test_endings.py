"""Labelled recordings, and rules held against them."""

import json

import numpy as np
import pytest
import soundfile

from benchmarks.endings import NEVER_S, Rule, by_looks, by_silence, outcome, usual
from benchmarks.labels import LABELS, RATE, quiet_s, read, room, trimmed
from benchmarks.looks import Look, Moment

VOICE = (0.3 * np.sin(np.arange(RATE) * 0.1)).astype(np.float32)


def moment(pause_s=None, looks=(), vad_at_s: float | None = 0.3, vad_complete=0.9):
    """A pause or an end."""
    return Moment(
        "a.wav", "Ann", "talk", "test", False, 1.0, pause_s, looks, vad_at_s, vad_complete
    )


def look(quiet_s, complete=0.5):
    """A look after so much silence, which the clock noticed at once."""
    return Look(quiet_s, quiet_s, "So it is.", complete)


def test_a_pause_and_the_end_are_found_by_the_level_of_the_sound():
    sound = np.concatenate([room(VOICE, 0.5), VOICE, room(VOICE, 0.4), VOICE, room(VOICE, 1)])
    voice = trimmed(sound, 0)
    assert len(voice) / RATE == pytest.approx(2.4, abs=0.02)
    assert quiet_s(voice) == [pytest.approx((1.0, 1.4), abs=0.02)]


def test_any_folder_of_labelled_recordings_can_be_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile(VOICE[:8000], (2, 1)).T, 8000)
    line = {"file": "a.wav", "end_s": 1.0, "pauses_s": [[0.2, 0.5]]}
    (tmp_path / LABELS).write_text(json.dumps(line) + "\n")
    (recording,) = read(tmp_path)
    assert (recording.end_s, recording.split, recording.made) == (1.0, "test", False)
    assert recording.sound.shape == (RATE,)


def test_a_turn_ends_when_the_silence_is_as_long_as_the_last_look_asks():
    waits = {0.9: 0.4, 0.1: 1.0}
    decide = by_looks(lambda seen, stretch: stretch * waits[seen.complete], thinking_s=0.1)
    assert decide(moment(looks=[look(0.1, 0.9)]), 1) == pytest.approx(0.4)
    assert decide(moment(looks=[look(0.1, 0.9)]), 1.5) == pytest.approx(0.6)
    assert decide(moment(looks=[look(0.1, 0.9), look(0.2, 0.1)]), 1) == pytest.approx(1.0)
    assert decide(moment(looks=[look(0.1, 0.1), look(0.5, 0.9)]), 1) == pytest.approx(0.6)
    assert decide(moment(looks=[]), 1) == NEVER_S


def test_who_was_cut_off_gets_more_time_and_nobody_else():
    decide = by_looks(lambda seen, stretch: stretch * 0.4, thinking_s=0.1)
    ann = [moment(pause_s, [look(0.1)]) for pause_s in (0.3, 0.5, 0.5)]
    found = Rule("ours", decide, learns=True).decisions(ann)
    assert found.tolist() == pytest.approx([0.4, 0.4, 0.6])
    assert Rule("forgets", decide).decisions(ann).tolist() == pytest.approx([0.4, 0.4, 0.4])


def test_the_usual_rule_waits_three_seconds_for_what_it_takes_for_a_pause():
    assert usual(0.1)(moment(vad_complete=0.9), 1) == pytest.approx(0.4)
    assert usual(0.1)(moment(vad_complete=0.1), 1) == pytest.approx(3.1)
    assert usual(0.1)(moment(vad_at_s=None), 1) == NEVER_S


def test_cut_off_is_who_goes_on_after_the_decision_and_heard_over_after_the_answer_began():
    pauses = [moment(pause_s) for pause_s in (0.3, 0.55, 0.9, 1.2)]
    found = outcome(Rule("half a second", by_silence(0.5)), [moment(), *pauses])
    assert (found.p50_s, found.cut_pct, found.heard_pct) == (0.5, 75, 50)
