"""What conversations may cost: limits are noticed, and the ledger knows while it goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.budget import Budget, admit, left_s, today
from pipelines.errors import BadSetting, PartFailed, Spent
from pipelines.ledger import Books, check
from pipelines.meter import LITE, Meter
from pipelines.parts import Choice, part
from pipelines.settings import Settings, load_settings
from sessions.ledger import FileLedger
from sessions.spend import Stay
from tests.talk.app import until

LINEUP = {"avatar": Choice(part("avatar", "heygen"), "")}
FREE = {"avatar": Choice(part("avatar", "puppet"), "")}


@dataclass
class Spender:
    """A conversation that costs what it is told to, and which limits it was told."""

    settings: Settings
    lineup: dict[str, Choice] = field(default_factory=lambda: LINEUP)
    minutes: int = 0
    reached: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[Budget]:
        meter = Meter(self.settings, {})
        stay = Stay(LITE, clock=lambda: self.minutes * 60)
        meter.count(stay)
        stay.begin()
        budget = Budget(self.settings, self.lineup, meter, period_s=0.02)
        budget.watch(self.tell)
        yield budget
        await budget.close()

    async def tell(self, limit: str) -> None:
        self.reached.append(limit)


def of_a_dollar_a_minute(**more: object) -> Settings:
    return load_settings(liveavatar_dollars_per_minute=1, **more)


def ledger() -> FileLedger:
    """The ledger as another process has it."""
    return FileLedger(Path("ledger"))


def all_spent(dollars: float) -> bool:
    return ledger().spent(today()) == pytest.approx(dollars)


async def test_what_a_conversation_costs_is_in_the_ledger_while_it_goes_on_and_to_the_end():
    spender = Spender(of_a_dollar_a_minute())
    async with spender.talking() as budget:
        await until(lambda: all_spent(1))
        spender.minutes = 3
        await until(lambda: all_spent(3))
        assert budget.bill.told == {"dollars": 3.0, "used": {"lite_minutes": 3}}
        spender.minutes = 4
    assert all_spent(4) and not spender.reached


async def test_what_is_spent_while_the_ledger_is_written_is_written_too(monkeypatch):
    writing, written = asyncio.Event(), asyncio.Event()
    spend = Books.spend

    async def spend_slowly(self: Books, day: date, dollars: float) -> float:
        writing.set()
        await written.wait()
        return await spend(self, day, dollars)

    monkeypatch.setattr(Books, "spend", spend_slowly)
    spender = Spender(of_a_dollar_a_minute())
    async with spender.talking() as budget:
        await writing.wait()
        spender.minutes = 4
        closing = asyncio.create_task(budget.close())
        await asyncio.sleep(0)
        written.set()
        await closing
    assert all_spent(4)


async def test_a_conversation_that_has_cost_enough_is_told_so_once():
    spender = Spender(of_a_dollar_a_minute(avatar_spend_limit_per_conversation=3))
    async with spender.talking():
        spender.minutes = 2
        await until(lambda: all_spent(2))
        assert not spender.reached
        spender.minutes = 3
        await until(lambda: spender.reached == ["spend"])
        spender.minutes = 5
        await until(lambda: all_spent(5))
    assert spender.reached == ["spend"]


async def test_the_days_limit_is_that_of_all_processes():
    spender = Spender(of_a_dollar_a_minute(avatar_spend_limit_per_day=6))
    async with spender.talking():
        await until(lambda: all_spent(1))
        ledger().spend(today(), 3.5)
        spender.minutes = 2
        await until(lambda: all_spent(5.5))
        assert not spender.reached
        ledger().spend(today(), 0.5)
        await until(lambda: spender.reached == ["spend-day"])


async def test_conversations_together_reach_the_days_limit():
    settings = of_a_dollar_a_minute(avatar_spend_limit_per_day=6)
    one, two = Spender(settings), Spender(settings)
    async with one.talking(), two.talking():
        one.minutes = 3
        await until(lambda: all_spent(4))
        assert not one.reached + two.reached
        two.minutes = 3
        await until(lambda: one.reached == two.reached == ["spend-day"])


async def test_a_ledger_that_cannot_be_written_keeps_no_conversation_from_its_own_limits():
    more = {"avatar_ledger": "/proc/x", "avatar_spend_limit_per_day": 5}
    spender = Spender(of_a_dollar_a_minute(**more))
    async with spender.talking():
        spender.minutes = 6
        await until(lambda: spender.reached == ["spend-day"])


async def test_what_costs_nothing_keeps_no_ledger_and_has_no_limit():
    settings = of_a_dollar_a_minute(avatar_spend_limit_per_day=5)
    ledger().spend(today(), 6)
    spender = Spender(settings.model_copy(update={"avatar_ledger": "another"}), FREE)
    async with spender.talking():
        await asyncio.sleep(0)
    await admit(settings, FREE)
    assert not spender.reached and not Path("another").exists()  # noqa: ASYNC240


async def test_nobody_is_let_in_once_the_days_limit_is_reached():
    settings = of_a_dollar_a_minute(avatar_spend_limit_per_day=5)
    await admit(settings, LINEUP)
    ledger().spend(today(), 4.99)
    await admit(settings, LINEUP)
    ledger().spend(today(), 0.01)
    with pytest.raises(Spent, match="as much as it may today: call again tomorrow") as spent:
        await admit(settings, LINEUP)
    assert 0 < spent.value.retry_s <= 24 * 3600
    await admit(of_a_dollar_a_minute(), LINEUP)


async def test_nobody_is_let_in_where_the_days_spending_is_not_known():
    settings = of_a_dollar_a_minute(avatar_spend_limit_per_day=5)
    ledger().spend(today(), 1)
    Path("ledger/spent.json").write_text("?")  # noqa: ASYNC240
    with pytest.raises(PartFailed, match="begun, for the ledger cannot be kept.$"):
        await admit(settings, LINEUP)


def test_a_days_limit_needs_a_ledger_from_the_start():
    settings = load_settings(avatar_ledger="/proc/x")
    check(settings, FREE)
    with pytest.raises(BadSetting, match="AVATAR_LEDGER cannot be used"):
        check(settings.model_copy(update={"avatar_spend_limit_per_day": 5.0}), FREE)


@pytest.mark.parametrize(
    ("hour", "minute", "seconds"), [(0, 0, 24 * 3600), (23, 30, 1800), (12, 0, 12 * 3600)]
)
def test_a_day_ends_at_midnight_utc(hour, minute, seconds):
    assert left_s(datetime(2026, 12, 31, hour, minute, tzinfo=UTC)) == seconds
