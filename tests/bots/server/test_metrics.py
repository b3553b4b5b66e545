"""What /metrics tells of what is open, and of conversations that are held and refused."""

import pytest
from loguru import logger
from starlette.requests import Request

from bots.server.metrics import Metrics
from pipelines.ledger import DAILY, LIVEAVATAR, paid
from pipelines.settings import load_settings
from sessions.ledger import FileLedger
from tests.monitor import Numbers, numbers
from tests.talk.app import App
from tests.talk.test_rooms import until
from tests.talk.visitor import Visitor


async def told(settings):
    answer = await Metrics(settings).show(Request({"type": "http"}))
    found = Numbers(bytes(answer.body).decode()).all("avatar_paid_open")
    return {(each["kind"], each["whose"]): count for each, count in found}


async def test_what_is_open_is_told_by_vendor_and_by_who_sees_to_it(tmp_path):
    settings = load_settings(avatar_ledger=str(tmp_path))
    assert set((await told(settings)).values()) == {0}
    living, dead = FileLedger(tmp_path), FileLedger(tmp_path)
    living.open(paid(settings, LIVEAVATAR, "one", 60))
    living.open(paid(settings, LIVEAVATAR, "two", 60))
    dead.open(paid(settings, DAILY, "room", 60))
    dead.close()
    assert await told(settings) == {
        (LIVEAVATAR, "running"): 2,
        (LIVEAVATAR, "left"): 0,
        (DAILY, "running"): 0,
        (DAILY, "left"): 1,
    }
    living.close()


async def test_a_ledger_that_cannot_be_read_hides_nothing_else(tmp_path):
    (tmp_path / "open.jsonl").mkdir()
    logged: list[str] = []
    sink = logger.add(logged.append, format="{message}")
    try:
        assert await told(load_settings(avatar_ledger=str(tmp_path))) == {}
    finally:
        logger.remove(sink)
    assert "What is open cannot be told" in "".join(logged)


def measured(visitor):
    """What the page was told of how fast answers were."""
    told = visitor.received("server-message")
    return [message for message in told if message.get("type") == "turn-latency"]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_conversation_and_its_answers_are_counted(app: App):
    async def held() -> float:
        return (await numbers(app.url)).one("avatar_conversations_active")

    await until(held, False, "the conversations of others to end")
    before = await numbers(app.url)
    async with Visitor(app.url) as visitor:
        await visitor.until(lambda: visitor.received("bot-stopped-speaking"), "the greeting", 40)
        visitor.send("send-text", {"content": "Hello"})
        await visitor.until(lambda: measured(visitor), "the answer", 60)
        during = await numbers(app.url)
    assert during.one("avatar_conversations_active") == 1
    drawn = sum(count for _, count in during.all("avatar_faces_drawn"))
    pictures = [each.one("avatar_pictures_total") for each in (before, during)]
    assert drawn == 1 and pictures[1] > pictures[0]
    begun = [each.one("avatar_conversations_total") for each in (before, during)]
    assert begun[1] == begun[0] + 1
    for step in ("mind", "voice", "face", "answer"):
        counts = [each.one("avatar_step_seconds_count", step=step) for each in (before, during)]
        assert counts[1] == counts[0] + 1, step
    await until(held, False, "the conversation to end")
