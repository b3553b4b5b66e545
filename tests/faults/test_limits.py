"""LiveAvatar's limit: another session follows in a pause, and nobody notices."""

import pytest
from loguru import logger

from sandbox import Limits
from tests.faults.deaths import ANSWER, WORDS, faced

LASTS_S = 15
pytestmark = pytest.mark.realtime


async def test_a_session_that_ends_is_followed_by_another_in_a_pause(livekit):
    logger.disable("pipecat")
    async with faced(livekit, [ANSWER, ANSWER, "Yes."], Limits(max_duration_s=LASTS_S)) as its:
        account = its.at.desk.account
        (first,) = account.active()
        hall = its.hall
        await hall.hushed(await hall.type("Tell me."))
        over = lambda: first not in account.active()  # noqa: E731
        await hall.until(over, "end of the first session", LASTS_S)
        (second,) = account.active()
        assert its.window.face
        await hall.hushed(await hall.type("Tell me again."))
        assert its.remembered() == list(WORDS), "history goes on"
        assert second.log, "the second avatar has spoken"
        # On a machine with little time the voice may rest for longer than between two answers.
        await hall.until(lambda: len(its.heard()) >= 2 * len(WORDS), "the end of the answer", 20)
        assert its.heard() == 2 * list(WORDS)
        assert its.written() == list(WORDS)
        assert hall.said == f"{ANSWER} {ANSWER}", "captions go on"
        assert not hall.notices("face-lost") and not hall.notices("failed")
    assert not account.active()
    logger.enable("pipecat")
