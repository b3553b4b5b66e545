"""The account's rules on a turned clock, without a network."""

import pytest
from pydantic import TypeAdapter

from liveavatar.wire import EndReason, TokenRequest
from sandbox.account import KEPT_RECORDS, Account, Limits
from sandbox.errors import BadRequest, NoCredits, TooMany
from sandbox.session import Session
from sandbox.store import Nowhere
from tests.sandbox.caller import FULL, LITE
from tests.sandbox.conftest import TurnedClock

REQUEST: TypeAdapter[TokenRequest] = TypeAdapter(TokenRequest)


class Owner:
    """Somebody with an account, and the time in hand."""

    def __init__(self, **limits: float) -> None:
        self.clock = TurnedClock()
        self.account = Account(self.clock, Limits(**limits))  # type: ignore[arg-type]

    def start(self, template: dict = LITE, **fields: object) -> Session:
        session = self.account.open(REQUEST.validate_python({**template, **fields}))
        self.account.start(session)
        return session

    def pass_time(self, seconds: float, *, alive: bool = False) -> list[EndReason]:
        """Let time pass in small steps; why sessions ended meanwhile."""
        reasons = []
        for _ in range(int(seconds)):
            self.clock.advance(1)
            for session in self.account.active() if alive else ():
                self.account.heard(session)
            for session, reason in self.account.due():
                self.account.end(session, reason)
                reasons.append(reason)
        return reasons


@pytest.mark.parametrize(
    ("template", "fields", "credits"),
    [(LITE, {}, 1), (FULL, {}, 2), (LITE, {"is_sandbox": True}, 0)],
    ids=["LITE", "FULL", "sandbox"],
)
def test_the_first_minute_is_held_at_start(template: dict, fields: dict, credits: int) -> None:
    owner = Owner(credits=10)
    owner.start(template, **fields)
    assert owner.account.credits == 10 - credits


def test_a_failed_start_gives_the_first_minute_back() -> None:
    owner = Owner(credits=10)
    session = owner.start(FULL)
    owner.account.fail(session)
    assert (owner.account.credits, session.end_reason) == (10, EndReason.DISPATCH_FAILED)


def test_every_further_minute_costs_when_it_begins() -> None:
    owner = Owner(credits=10)
    owner.start()
    owner.pass_time(59)
    assert owner.account.credits == 9
    owner.pass_time(1)
    assert owner.account.credits == 8


def test_a_session_ends_when_the_next_minute_cannot_be_paid() -> None:
    owner = Owner(credits=2)
    owner.start()
    assert owner.pass_time(119) == []
    assert owner.pass_time(1) == [EndReason.NO_CREDITS]
    assert owner.account.credits == 0


def test_without_a_minutes_worth_nothing_starts() -> None:
    owner = Owner(credits=1)
    with pytest.raises(NoCredits):
        owner.start(FULL)
    assert owner.account.credits == 1


def test_only_so_many_sessions_run_at_a_time() -> None:
    owner = Owner(concurrency=2)
    first, _ = owner.start(), owner.start()
    with pytest.raises(TooMany):
        owner.start()
    owner.account.end(first, EndReason.USER_CLOSED)
    assert owner.start().phase == "active"


def test_a_token_starts_once() -> None:
    owner = Owner()
    session = owner.start()
    with pytest.raises(BadRequest):
        owner.account.start(session)


def test_an_old_token_starts_nothing() -> None:
    owner = Owner(token_s=60)
    session = owner.account.open(REQUEST.validate_python(LITE))
    owner.clock.advance(61)
    with pytest.raises(BadRequest):
        owner.account.start(session)


def test_a_session_without_a_sign_of_life_is_idle_after_five_minutes() -> None:
    owner = Owner()
    owner.start()
    assert owner.pass_time(299) == []
    assert owner.pass_time(1) == [EndReason.IDLE_TIMEOUT]


def test_signs_of_life_keep_a_session_until_its_maximum() -> None:
    owner = Owner(max_duration_s=400)
    owner.start()
    assert owner.pass_time(399, alive=True) == []
    assert owner.pass_time(1, alive=True) == [EndReason.MAX_DURATION_REACHED]


def test_a_shorter_duration_can_be_asked_for_but_no_longer_one() -> None:
    owner = Owner(max_duration_s=400)
    assert owner.start(max_session_duration=100).max_duration_s == 100
    assert owner.start(max_session_duration=9999).max_duration_s == 400


def test_a_sandbox_session_ends_after_a_minute() -> None:
    owner = Owner()
    owner.start(is_sandbox=True)
    assert owner.pass_time(59, alive=True) == []
    assert owner.pass_time(1, alive=True) == [EndReason.MAX_DURATION_REACHED]


def test_a_session_whose_socket_was_lost_is_reaped_as_a_zombie() -> None:
    owner = Owner(zombie_s=200)
    session = owner.start()
    owner.account.socket_opened(session)
    owner.account.socket_lost(session)
    assert owner.pass_time(199) == []
    assert owner.pass_time(1) == [EndReason.ZOMBIE_SESSION_REAP]


def test_a_socket_opened_again_saves_a_session_from_the_reaper() -> None:
    owner = Owner(zombie_s=200)
    session = owner.start()
    owner.account.socket_lost(session)
    owner.pass_time(199)
    owner.account.socket_opened(session)
    assert owner.pass_time(200) == []


def test_a_session_ends_once_and_keeps_its_first_reason() -> None:
    owner = Owner()
    session = owner.start()
    assert owner.account.end(session, EndReason.USER_CLOSED)
    assert not owner.account.end(session, EndReason.IDLE_TIMEOUT)
    assert session.end_reason is EndReason.USER_CLOSED


def test_only_listed_avatars_are_for_a_sandbox_when_it_is_strict() -> None:
    owner = Owner(any_avatar=False)
    owner.start(is_sandbox=True)
    with pytest.raises(BadRequest):
        owner.start(is_sandbox=True, avatar_id="1c690fe7-23e0-49f9-bfba-14344450285b")


def test_minutes_are_paid_though_nobody_looked_before_the_end() -> None:
    owner = Owner(credits=10)
    session = owner.start()
    owner.clock.advance(130)
    owner.account.end(session, EndReason.USER_CLOSED)
    assert (session.credits_consumed, owner.account.credits) == (3, 7)


def test_what_was_said_is_kept_of_the_last_sessions_only() -> None:
    owner = Owner(credits=10_000, concurrency=1000)
    sessions = [owner.start() for _ in range(KEPT_RECORDS + 1)]
    for session in sessions:
        session.hear(bytes(960))
        session.note(owner.clock(), "received", {"type": "agent.speak"})
        owner.account.end(session, EndReason.USER_CLOSED)
    oldest, *others = sessions
    assert not oldest.voice and not oldest.log
    assert all(session.voice and session.log for session in others)
    assert owner.account.session(oldest.id) is oldest


class Former(Nowhere):
    """What an earlier version has kept, of which one session cannot be read any more."""

    def __init__(self, *sessions: str) -> None:
        self.sessions = [*sessions]

    def load(self, kind: str) -> list[str]:
        return self.sessions if kind == "session" else []


def test_a_session_that_cannot_be_read_any_more_keeps_nobody_from_starting() -> None:
    kept = Owner().start()
    account = Account(
        TurnedClock(), Limits(), Former('{"of": "another time"}', kept.model_dump_json())
    )
    assert [*account.sessions] == [kept.id]


def test_a_session_that_is_forgotten_was_never_there() -> None:
    owner = Owner()
    asked = owner.account.open(REQUEST.validate_python(LITE))
    owner.account.forget(asked)
    assert not owner.account.sessions and owner.account.credits == owner.account.limits.credits
