"""Conversations that LiveAvatar runs, as a page and the account see them; no room is joined."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bots.running import Stop
from bots.server.app import Server
from bots.server.casting import Casting
from bots.server.limits import BURST
from liveavatar.errors import LiveAvatarError
from liveavatar.wire import FullRequest
from pipelines.full.wish import is_unknown
from pipelines.ledger import books
from pipelines.parts import choose
from pipelines.settings import Settings, load_settings
from sessions import metrics
from tests.sandbox.caller import Caller
from tests.sandbox.conftest import caller, clock
from tests.talk.app import until
from web.port import listen

__all__ = ["caller", "clock"]

PERSONA = "name: Ada\nprompt: You are here.\ngreeting: Hello, ${guest}.\nspent: No money.\n"
ACCESS = "the-access-token-of-a-test"
LIMIT_S = 15


@dataclass
class House:
    """A server, who asks it, and where its transcripts are."""

    http: aiohttp.ClientSession
    folder: Path
    settings: Settings
    stack: contextlib.AsyncExitStack

    async def stop(self) -> None:
        """Stop the server."""
        await self.stack.aclose()

    async def post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        """Ask as the operator; the status, and what is answered."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post(path, data=content) as answer:
            return answer.status, await answer.json()

    async def start(self, **body: Any) -> "Visit":
        """Begin a conversation."""
        status, session = await self.post("/start", {"body": body})
        assert status == 200, session
        return Visit(self, session)

    async def refused(self, **body: Any) -> str:
        """Be told why there is no conversation."""
        status, answer = await self.post("/start", {"body": body})
        assert status in (400, 502), answer
        return answer["detail"]

    def lines(self, at: int = -1) -> list[dict[str, Any]]:
        """What is written of a conversation."""
        files = sorted(
            (self.folder / "transcripts").glob("*.jsonl"), key=lambda f: f.stat().st_mtime
        )
        return [json.loads(line) for line in files[at].read_text().splitlines()]

    async def ended(self) -> list[dict[str, Any]]:
        """The same, once the conversation is over."""
        await until(lambda: self.lines()[-1].get("event") == "ended", LIMIT_S)
        return self.lines()


@dataclass
class Visit:
    """A page in a conversation."""

    house: House
    session: dict[str, Any]

    async def relay(self, *events: tuple[str, str], **more: Any) -> tuple[int, dict[str, Any]]:
        """Tell what the page has seen."""
        seen = [{"event": {"event_type": name, "text": text}} for name, text in events]
        body = {"key": self.session["relayKey"], "events": seen, **more}
        return await self.house.post(f"/sessions/{self.session['sessionId']}/events", body)

    async def told(self, *events: tuple[str, str], **more: Any) -> list[dict[str, Any]]:
        """The same, and what is told back."""
        status, answer = await self.relay(*events, **more)
        assert status == 200, answer
        return answer["messages"]


@asynccontextmanager
async def housing(caller: Caller, folder: Path, **fields: Any) -> AsyncIterator[House]:
    """A server for the account that `caller` has."""
    (folder / "ada.yaml").write_text(PERSONA)
    settings = load_settings(
        **{
            "transport": "full",
            "liveavatar_api_key": caller.key["X-API-KEY"],
            "liveavatar_base_url": caller.url,
            "avatar_persona": str(folder / "ada.yaml"),
            "avatar_transcripts": str(folder / "transcripts"),
            "avatar_ledger": str(folder / "ledger"),
            "avatar_access_token": ACCESS,
            **fields,
        }
    )
    listeners = listen("127.0.0.1", 0)
    server = Server(Casting(settings, {"guest": "Ann"}), choose(settings))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(server.life(listeners, Stop()))
        url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
        async with aiohttp.ClientSession(
            url, headers={"Authorization": f"Bearer {ACCESS}"}
        ) as http:
            yield House(http, folder, settings, stack)


async def open_ids(caller: Caller) -> list[str]:
    """The sessions that cost money now."""
    _, answer = await caller.ask("GET", "/v1/sessions?type=active")
    return [each["id"] for each in answer["data"]["results"]]


def say(caller: Caller, *lines: tuple[str, str]) -> None:
    """Let LiveAvatar have heard and said something in the only session."""
    (session,) = caller.desk.account.active()
    for at, (role, text) in enumerate(lines, len(session.transcript)):
        stamp = {"absolute_timestamp": 1_800_000_000_000 + at, "relative_timestamp": at}
        session.transcript.append({"role": role, "transcript": text, **stamp})


async def test_a_conversation_is_begun_relayed_billed_and_written_down(
    caller: Caller, tmp_path: Path
) -> None:
    async with housing(caller, tmp_path) as house:
        visit = await house.start(interactivity="PUSH_TO_TALK")
        assert visit.session["interactivity"] == "PUSH_TO_TALK"
        (session,) = caller.desk.account.active()
        assert isinstance(session.request, FullRequest)
        assert session.request.dynamic_variables == {"guest": "Ann"}
        assert [each.paid.id for each in await books(house.settings).entries()] == [session.id]
        say(caller, ("user", "Who are you?"), ("avatar", "I am Ada."))
        said = [("user.transcription", "Who are you?"), ("avatar.speak_started", "")]
        told = await visit.told(*said, ("avatar.transcription", "I am Ada."))
        told += await visit.told(("avatar.speak_ended", ""))
        say(caller, ("avatar", "Is there"))
        assert await visit.told(leaves=True) is not None
        lines = await house.ended()
        assert [line.get("text") for line in lines[1:-1]] == [
            "Who are you?",
            "I am Ada.",
            "Is there",
        ]
        assert not any("told_by" in line for line in lines)
        assert lines[-1]["spend"] == {"dollars": 0.2, "used": {"full_minutes": 1}}
        assert not await open_ids(caller)
        assert not await books(house.settings).entries()
        assert (await visit.relay())[0] == 404


async def test_who_is_gone_before_there_is_an_answer_leaves_nothing_that_is_paid_for(
    caller: Caller, tmp_path: Path
) -> None:
    async with housing(caller, tmp_path) as house:
        await caller.order("start:delay by=20 times=1")
        waiting = asyncio.create_task(house.start())
        await _paid(house, True)
        waiting.cancel()
        await _paid(house, False)
        assert not caller.desk.account.active()


async def test_a_server_that_is_stopped_writes_what_it_has_and_waits_for_nobody(
    caller: Caller, tmp_path: Path
) -> None:
    async with housing(caller, tmp_path) as house:
        visit = await house.start()
        await visit.told(("user.transcription", "Hello?"))
        await caller.order("start:delay by=20 times=1")
        waiting, failures = asyncio.create_task(house.refused()), _failures()
        await until(lambda: len([*(tmp_path / "transcripts").glob("*.jsonl")]) == 2, LIMIT_S)
        for route in ("stop", "GET /v1/sessions/*/transcript"):
            await caller.order(f"{route}:delay by=20")
        await asyncio.wait_for(house.stop(), LIMIT_S)
        assert "before it has begun" in await waiting
        assert _failures() == failures
        both = [house.lines(at) for at in (0, 1)]
        told = [line["text"] for lines in both for line in lines if line.get("event") == "error"]
        assert told == ["LiveAvatar does not give its transcript."]
        assert all(lines[-1]["event"] == "ended" for lines in both)
        [said] = [line for lines in both for line in lines if "who" in line]
        assert (said["text"], said["told_by"]) == ("Hello?", "page")
        await caller.ask("DELETE", "/_sandbox/faults")


def _failures() -> list[str]:
    """The failures of which monitors know."""
    return re.findall(r"^avatar_failures_total.*", metrics.text().decode(), re.MULTILINE)


async def _paid(house: House, expected: bool) -> None:
    """Wait until there is something in the ledger, or nothing."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            if bool(await books(house.settings).entries()) is expected:
                return
            await asyncio.sleep(0.02)


async def test_what_liveavatar_has_lost_of_our_mind_is_stored_again(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    async with housing(caller, tmp_path, llm="guide") as house:
        ids = [await _mind_of(caller, house)]
        await caller.ask("DELETE", f"/v1/llm-configurations/{ids[0]}")
        ids.append(await _mind_of(caller, house))
        assert ids[0] != ids[1]
        [secret] = (await caller.ask("GET", "/v1/secrets"))[1]["data"]
        await caller.ask("DELETE", f"/v1/secrets/{secret['id']}")
        status, _ = await house.post("/v1/chat/completions", {"asked": "with another bearer"})
        assert status == 401
        assert await _mind_of(caller, house) == ids[1]
        [secret] = (await caller.ask("GET", "/v1/secrets"))[1]["data"]
        await caller.ask("DELETE", f"/v1/secrets/{secret['id']}")
        await caller.order("start:answer status=400 code=4000 message=Odd times=1")
        assert "Odd (400)" in await house.refused(), "what is begun is not begun twice"
        assert await _mind_of(caller, house) == ids[1]
        assert (await caller.ask("GET", "/v1/secrets"))[1]["data"]


@pytest.mark.parametrize(
    ("status", "code", "message", "lost"),
    [
        (404, 4004, "Not found", True),
        (400, 4000, "LLM configuration not found", True),
        (400, None, "Odd", True),
        (400, 4002, "Odd", False),
        (400, 4000, "Session concurrency limit reached", False),
        (404, None, "Insufficient credits", False),
        (422, 4000, "Request validation errors. body: odd", False),
        (500, None, "Odd", False),
    ],
)
def test_what_may_be_lost_is_told_from_what_is_not_to_be_had(
    status: int, code: int | None, message: str, lost: bool
) -> None:
    assert is_unknown(LiveAvatarError(status, code, message)) is lost


async def _mind_of(caller: Caller, house: House) -> str:
    """The LLM configuration of a conversation, which is ended."""
    visit = await house.start()
    (session,) = caller.desk.account.active()
    assert isinstance(session.request, FullRequest)
    await visit.told(leaves=True)
    await house.ended()
    return str(session.request.llm_configuration_id)


async def test_nobody_tells_of_a_conversation_of_others(caller: Caller, tmp_path: Path) -> None:
    async with housing(caller, tmp_path) as house:
        mine, yours = await house.start(), await house.start()
        forged = ("user.transcription", "I owe you a car.")
        for key in ("", "x", yours.session["relayKey"]):
            assert (await mine.relay(forged, key=key))[0] == 403
        strangers = Visit(house, {**mine.session, "sessionId": "nobody"})
        assert (await strangers.relay(forged))[0] == 404
        path = f"/sessions/{mine.session['sessionId']}/events"
        for content in (b"", b"[", b"[]", b"null", b'{"key": 1}'):
            status, answer = await house.post(path, content)
            assert status == 400 and "This is no relay of events" in answer["detail"]
        status, answer = await house.post(path, b"x" * 70_000)
        assert status == 413
        statuses = [(await house.post("/nothing", {}))[0] for _ in range(int(BURST) + 20)]
        assert 429 in statuses, "somebody at the same address asks for too much"
        for visit in (mine, yours):
            await visit.told(leaves=True)
        await until(lambda: not caller.desk.account.active(), LIMIT_S)
        await house.ended()
        assert "car" not in json.dumps([*house.lines(0), *house.lines(1)])


REFUSALS = {
    "token:answer status=402 code=4002 message=Insufficient": "LiveAvatar has no credit left.",
    "start:answer status=402 code=4002 message=Insufficient": "LiveAvatar has no credit left.",
    "start:answer status=409 code=4009 message=Full": "as many sessions as this account may have",
    "start:answer status=500": "LiveAvatar has a failure of its own",
    "token:answer status=401": "LiveAvatar refused the key. Check LIVEAVATAR_API_KEY.",
    "POST /v1/contexts:answer status=400 code=4000 message=Odd": "refused the session: Odd (400)",
}


async def test_a_refusal_is_a_sentence_and_leaves_nothing_open(
    caller: Caller, tmp_path: Path
) -> None:
    async with housing(caller, tmp_path) as house:
        for fault, sentence in reversed(REFUSALS.items()):
            await caller.order(f"{fault} times=1")
            assert sentence in await house.refused()
            assert sentence in str(house.lines()[-2]["text"])
        assert "send CONVERSATIONAL or PUSH_TO_TALK" in await house.refused(interactivity="LOUD")
        assert not await open_ids(caller)
        assert not await books(house.settings).entries()
        for field, value in {
            "liveavatar_voice_id": "Voice not found (400). Check LIVEAVATAR_VOICE_ID.",
            "liveavatar_llm_id": "LLM configuration not found (400). Check LIVEAVATAR_LLM_ID.",
            "liveavatar_context_id": "LIVEAVATAR_CONTEXT_ID=nobody is not known to LiveAvatar",
        }.items():
            async with housing(caller, tmp_path, **{field: "nobody"}) as other:
                assert value in await other.refused()


async def test_a_conversation_has_an_end_that_its_user_is_told_of(
    caller: Caller, tmp_path: Path
) -> None:
    async with housing(caller, tmp_path, avatar_idle_s=0.3, avatar_max_duration_s=60) as house:
        visit = await house.start()
        told = await _heard_out(visit)
        words = [each.get("text") or each.get("reason") for each in told if each["type"] != "spend"]
        assert words == ["Are you still there?", "I will let you go now. Goodbye!", "silence"]
        await house.ended()
        assert not await open_ids(caller)
        limits = {"avatar_spend_limit_per_conversation": 0.1}
    async with housing(caller, tmp_path, **limits) as house:
        visit = await house.start()
        told = await _heard_out(visit)
        assert {"type": "say", "text": "No money."} in told
        assert {"type": "over", "reason": "spend"} in told


async def _heard_out(visit: Visit) -> list[dict[str, Any]]:
    """All that a page is told until it is over, which asks ten times a second."""
    told: list[dict[str, Any]] = []
    newest: list[dict[str, Any]] = []
    async with asyncio.timeout(LIMIT_S):
        while not any(each["type"] == "over" for each in newest):
            newest = await visit.told(*_spoken(newest))
            told += newest
            await asyncio.sleep(0.1)
    return told


def _spoken(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What a page sees when the avatar says at once what it is asked to."""
    if any(each["type"] == "say" for each in told):
        return [("avatar.speak_started", ""), ("avatar.speak_ended", "")]
    return []


async def test_what_liveavatar_has_ended_is_over(caller: Caller, tmp_path: Path) -> None:
    async with housing(caller, tmp_path) as house:
        visit = await house.start()
        say(caller, ("avatar", "Hello, Ann."))
        await visit.told(("session.stopped", ""))
        lines = await house.ended()
        assert [line["text"] for line in lines if "who" in line] == ["Hello, Ann."]
