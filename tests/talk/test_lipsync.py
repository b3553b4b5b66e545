"""Mouth and voice are compared, and a voice that slides behind is found out."""

import numpy as np
import pytest

from bots.eval.curve import Curve, loudness
from puppet import FPS, SAMPLE_RATE, Player, load_pack
from tests.speech import say
from tests.talk.lipsync import drawn_lag_s, lag_s
from tests.talk.mouth import gauge

SIZE = (256, 144)
TEXT = "Are you all far away, or is it a large and open harbour? My mother baked an apple pie."


@pytest.fixture(scope="module")
def drawn() -> tuple[Curve, np.ndarray]:
    """Mouths as they are seen, and the voice that they were drawn for."""
    player = Player(load_pack("mira"), SIZE, seed=5)
    pcm = say(TEXT, SAMPLE_RATE)
    player.speak(pcm)
    player.end()
    mouths = gauge("mira", SIZE)
    seen = []
    while player.speaking:
        seen.append(mouths.openness(player.tick().image[: SIZE[1]]))
    return Curve(np.arange(len(seen)) / FPS, np.array(seen)), np.frombuffer(pcm, np.int16)


@pytest.fixture(scope="module")
def drawn_s() -> float:
    """The lag that there is in what another face was drawn for."""
    return drawn_lag_s("mira", SIZE, say("Is it a large and open harbour, far away?", SAMPLE_RATE))


@pytest.mark.parametrize("late_s", [-0.3, -0.08, 0, 0.08, 0.12, 0.4])
def test_a_voice_that_is_moved_is_found_where_it_is(drawn, drawn_s, late_s):
    seen, voice = drawn
    heard = loudness(voice, SAMPLE_RATE)
    behind_s = lag_s(seen, Curve(heard.at_s + late_s, heard.much), 0.6)
    assert behind_s - drawn_s == pytest.approx(late_s, abs=0.03)
