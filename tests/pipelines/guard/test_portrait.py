"""The still picture."""

import pytest

from pipelines.guard.portrait import Portrait
from puppet import load_pack
from tests.standins.stage import running


@pytest.mark.parametrize(("size", "drawn"), [((256, 144), True), ((255, 143), False)])
async def test_a_portrait_that_cannot_be_drawn_is_no_face(size, drawn):
    portrait = Portrait(load_pack("theo"), size)
    async with running(portrait) as stage:
        await stage.worker.flush_pipeline()
        assert portrait.shows_face is drawn
