"""Each thing that is wanted of a face is seen to be so, and told in a sentence where it is not."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.mouth import Scene as PuppetScene
from bots.eval.curve import Curve
from bots.eval.face import Face
from bots.eval.judge import judge
from bots.eval.mouth import Pictures
from bots.eval.sighting import Sighting
from bots.eval.step import in_step
from puppet import Player, load_pack
from tests.bots.eval.scene import Scene, without

WANTED = Face(
    first_picture_within_s=3,
    pictures_a_second=20,
    longest_freeze_s=0.3,
    offset_ms=45,
    mouth_shut_after_interruption_s=0.5,
    mouth_open_while_speaking=True,
    size=(1280, 720),
)
SAID = "Are you all far away, or is it a large and open harbour? My mother baked an apple pie."


@pytest.fixture(scope="module")
def good() -> Sighting:
    """A face without a fault."""
    return Scene().seen()


@pytest.fixture(scope="module")
def still() -> Sighting:
    """A face that sways, and says it all with its mouth shut."""
    return Scene(opens=0.0).seen()


def failed(seen: Sighting, wanted: Face = WANTED) -> list[str]:
    """The sentences of what is not as wanted."""
    return [found.sentence for found in judge(wanted, seen) if not found.passed]


def test_a_good_face_is_as_wanted_and_what_is_not_wanted_is_not_looked_at(good):
    found = judge(WANTED, good)
    assert [each.sentence for each in found if not each.passed] == []
    assert len(found) == 7 and judge(Face(), good) == []
    json.dumps([each.seen for each in found])


def test_a_late_face_is_told(good):
    (said,) = failed(without(good, 0, 4.4))
    assert said == ("first_picture_within_s: wanted at most 3 s, saw 4.44 s, at second 4.4.")


def test_few_pictures_are_told(good):
    (said,) = failed(without(good, 0, 99, every=2))
    assert said.startswith("pictures_a_second: wanted at least 20 pictures a second, saw 12.5")
    assert said.endswith("from second 0.4 to 18.5.")


@pytest.mark.parametrize(("start_s", "end_s"), [(9.0, 9.8), (17.7, 99.0)], ids=["in it", "end"])
def test_a_face_that_stands_still_is_told(good, start_s, end_s):
    (said,) = failed(without(good, start_s, end_s))
    assert said.startswith("longest_freeze_s: wanted at most 0.3 s, saw 0.8")
    assert f"without a new picture, at second {start_s:.1f}" in said


def test_a_picture_that_is_sent_again_and_again_is_told(good):
    pictures = good.pictures.copy()
    pictures[100:120] = pictures[100]
    (said,) = failed(replace(good, pictures=pictures), Face(longest_freeze_s=0.3))
    assert "saw 0.80 s without a new picture, at second 4.4" in said


@pytest.mark.parametrize(("late_s", "side"), [(0.18, "behind"), (-0.18, "ahead of")])
def test_a_voice_beside_the_mouth_is_told(good, late_s, side):
    (said,) = failed(replace(good, voice_belongs_s=good.voice_belongs_s + late_s))
    assert said.startswith("offset_ms: wanted sound and mouth at most 45 ms apart, saw the sound")
    assert f"{side} the mouth" in said


def test_a_mouth_that_goes_on_after_an_interruption_is_told():
    (said,) = failed(Scene(goes_on_s=1.0).seen())
    assert said.startswith("mouth_shut_after_interruption_s: wanted at most 0.5 s, saw ")
    assert said.endswith("until the mouth was shut, at second 16.0.")


def test_a_mouth_that_is_shut_only_until_the_next_words_is_shut():
    seen = Scene(speech_s=((2.0, 6.0), (6.25, 11.0)), interruptions_s=(6.0,)).seen()
    (found,) = judge(Face(mouth_shut_after_interruption_s=0.2), seen)
    assert found.passed, found.sentence


def test_who_wants_an_interruption_has_to_interrupt(good):
    (said,) = failed(replace(good, interruptions_s=[]))
    assert "could not be told: nobody interrupted" in said


def test_a_face_that_only_sways_is_told(still):
    said = failed(still, Face(mouth_open_while_speaking=True, offset_ms=45))
    assert len(said) == 2 and all("nothing in the picture opens with the voice" in s for s in said)
    assert failed(still, Face(mouth_open_while_speaking=False)) == []


def test_too_few_pictures_to_follow_a_mouth_are_told(good):
    seen = without(good, 0, 99, every=5)
    said = failed(seen, Face(mouth_open_while_speaking=True, offset_ms=45))
    why = "could not be told: 5.0 pictures a second are too few to follow a mouth"
    assert len(said) == 2 and all(why in each for each in said)


def test_a_mouth_that_is_to_stay_shut_is_told_where_it_opens(good):
    (said,) = failed(good, Face(mouth_open_while_speaking=False))
    assert "saw the mouth open in 8 of 8 pieces" in said and "first at second 2.0" in said


def test_a_mouth_that_stays_shut_through_a_sentence_is_told(good, still):
    half = good.came_s > 8
    seen = replace(good, pictures=np.where(half[:, None, None], still.pictures, good.pictures))
    (said,) = failed(seen, Face(mouth_open_while_speaking=True))
    assert "saw the mouth shut in 5 of 8 pieces of speech of 1.5 s or less" in said
    assert "first at second 8.0" in said


def test_another_size_is_told_also_when_it_comes_later(good):
    (said,) = failed(replace(good, sizes=[(0.4, (1280, 720)), (7.0, (640, 360))]))
    assert said == "size: wanted 1280x720, saw 640x360 at second 7.0."


def test_nothing_at_all_is_told_for_each_thing_wanted():
    nothing = np.zeros(0)
    seen = Sighting(
        np.zeros((0, 1, 1), np.uint8), nothing, nothing, [],
        Curve(nothing, nothing), nothing, nothing, [1.0], 5.0,
    )  # fmt: skip
    said = failed(seen)
    assert len(said) == 7 and all("could not be told" in each for each in said)
    assert sum("no picture came" in each for each in said) == 3


@pytest.mark.parametrize("pack", ["mira", "theo"])
def test_the_mouth_of_a_puppet_is_found_where_the_truth_is_known(pack):
    scene = PuppetScene(Player(load_pack(pack), (320, 180), seed=5))
    scene.say(SAID)
    scene.rest(2)
    seen, truth = scene.seen, np.array(scene.mouths)
    mouth = Pictures(seen).mouth()
    opens = mouth.open > mouth.limit
    assert opens[truth >= 0.3].mean() > 0.95
    assert opens[truth < 0.05].mean() < 0.02
    late = replace(seen, voice_belongs_s=seen.voice_belongs_s + 0.15)
    behind = [in_step(each).behind_s for each in (seen, late)]
    assert abs(behind[0]) < 0.045 and behind[1] - behind[0] == pytest.approx(0.15, abs=0.02)
