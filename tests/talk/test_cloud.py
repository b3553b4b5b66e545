"""Whole conversations with the cloud classes, on stand-ins for the vendors."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from pipelines.host import FACE_TIMEOUT_S
from tests.monitor import numbers
from tests.speech import hear, say
from tests.standins.cartesia import Cartesia
from tests.standins.daily import Daily
from tests.standins.deepgram import Deepgram
from tests.standins.gemini import Gemini
from tests.standins.liveavatar import LiveAvatar
from tests.standins.loudness import voiced_s
from tests.standins.script import Line
from tests.talk.app import SMALL, running_app
from tests.talk.test_local import between, pcm, server_messages
from tests.talk.visitor import Visitor

QUESTION = "What is the capital of France?"
REPLY = "Paris. It is the capital of France."
HALVES = "Tell me about the capital", "of Spain and Portugal."
FLAGS = ("--size", "640x360")

pytestmark = pytest.mark.drawn(2)


def _line(*said: str) -> Line:
    """What is heard when all of it was said, with pauses between."""
    return Line(" ".join(said), 0.95 * sum(voiced_s(say(each), 16_000) for each in said))


class Vendors:
    """A stand-in for every vendor of the conversation, and the settings that lead to them."""

    def __init__(self) -> None:
        lines = [_line(QUESTION), _line(*HALVES)]
        self.deepgram = Deepgram(lines=lines)
        self.gemini = Gemini(replies=[REPLY] * 4)
        self.cartesia = Cartesia(speak=lambda text: say(text, 24_000), speak_rate=24_000)

    @property
    def env(self) -> dict[str, str]:
        return {
            "DEEPGRAM_API_KEY": self.deepgram.key,
            "DEEPGRAM_BASE_URL": self.deepgram.url,
            "GOOGLE_API_KEY": self.gemini.key,
            "GOOGLE_BASE_URL": self.gemini.url,
            "GOOGLE_MODEL": self.gemini.models[0],
            "CARTESIA_API_KEY": self.cartesia.key,
            "CARTESIA_BASE_URL": self.cartesia.url,
        }


@asynccontextmanager
async def vendors():
    """Running stand-ins."""
    these = Vendors()
    async with AsyncExitStack() as stack:
        for server in (these.deepgram, these.gemini, these.cartesia):
            await stack.enter_async_context(server)
        yield these


@pytest.mark.realtime
async def test_a_question_goes_through_every_vendor_and_back(tmp_path):
    async with vendors() as cloud, running_app(tmp_path, *FLAGS, env=cloud.env) as app:
        for line in ("ears: deepgram (cloud)", "mind: gemini (cloud)", "voice: cartesia (cloud)"):
            assert line in app.output
        async with Visitor(app.url) as visitor:
            await visitor.until(lambda: len(visitor.told()) > 2, "the greeting", 40)
            visitor.send("client-message", {"t": "interrupt"})
            await visitor.until(lambda: visitor.received("bot-interrupted"), "silence")
            visitor.microphone.say(say(QUESTION))
            await asyncio.wait_for(visitor.microphone.quiet.wait(), 20)
            over_s = visitor.microphone.quiet_at_s
            await visitor.hushed(over_s)
            heard = hear(pcm(between(visitor.sounds, over_s, visitor.sounds[-1].at_s)))
            assert len(visitor.sights) > 20
            said = visitor.received("user-transcription")
            started = visitor.received("user-started-speaking", over_s - 5)
            stopped = visitor.received("user-stopped-speaking", over_s - 5)
            assert cloud.gemini.state.last_user_text() == QUESTION
            await _ask_with_a_pause(visitor)
        lines = await app.ended_transcript()
        assert [m["text"] for m in said if m["final"]] == [QUESTION]
        guesses = [m["text"] for m in said if not m["final"]]
        assert guesses and all(QUESTION.startswith(guess) for guess in guesses)
        assert "capital of france" in heard
        assert len(started) == len(stopped) == 1
        answers = [line for line in lines if line.get("who") == "avatar"][1:]
        assert all(set(line["steps"]) == {"ears", "mind", "voice", "face"} for line in answers)
        turns = [(line["who"], line["text"]) for line in lines if "who" in line]
        assert turns[-2:] == [("user", " ".join(HALVES)), ("avatar", REPLY)]
        asked, for_nothing = lines[-1]["ahead"]["calls"], lines[-1]["ahead"]["for_nothing"]
        assert (asked, for_nothing) == (3, 1) and len(cloud.gemini.state.prompts) == 3
        assert "You are Mira" in str(cloud.gemini.state.prompts[-1])
        assert cloud.deepgram.state.audio_bytes > 32_000
        _assert_spend(cloud, lines[-1]["spend"], server_messages(visitor, "spend"))
        assert not [key for key in cloud.env.values() if "fake-" in key and key in app.output]


def _assert_spend(cloud: Vendors, spend: dict[str, Any], told: list[dict[str, Any]]) -> None:
    """What every vendor was sent is what is told to have been used, at the usual prices."""
    read, written = cloud.gemini.state.tokens()
    minutes = cloud.deepgram.state.audio_bytes / 2 / 16_000 / 60
    characters = len("".join(cloud.cartesia.state.spoken))
    assert spend["used"] == {
        "llm_tokens_in": read,
        "llm_tokens_out": written,
        "stt_minutes": pytest.approx(minutes, abs=0.01),
        "tts_characters": pytest.approx(characters, abs=10),
    }
    dollars = (0.3 * read + 2.5 * written + 50 * characters) / 1e6 + 0.0077 * minutes
    assert spend["dollars"] == pytest.approx(dollars, rel=0.05)
    costs = [message["dollars"] for message in told]
    assert len(costs) >= 3 and costs == sorted(costs) and 0 < costs[0] <= spend["dollars"]


async def _ask_with_a_pause(visitor: Visitor) -> None:
    """A question in two halves: the mind begins after the first, and is called back."""
    pause = bytes(round(0.4 * 2 * 16_000))
    visitor.microphone.say(say(HALVES[0]).rstrip(b"\0") + pause + say(HALVES[1]))
    await asyncio.wait_for(visitor.microphone.quiet.wait(), 20)
    await visitor.hushed(visitor.microphone.quiet_at_s)


@pytest.mark.drawn
@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("DEEPGRAM_API_KEY", "The ears failed: deepgram refused the key", id="ears"),
        pytest.param("GOOGLE_API_KEY", "The mind failed: gemini", id="mind"),
    ],
)
async def test_a_refused_key_is_told_to_the_user_and_ends_the_conversation(name, said, tmp_path):
    async with vendors() as cloud:
        env = cloud.env | {name: "fake-wrong-key"}
        async with running_app(tmp_path, *FLAGS, env=env) as app, Visitor(app.url) as visitor:
            heard_of = lambda: visitor.received("bot-ready") or visitor.received("server-message")  # noqa: E731
            await visitor.until(heard_of, "the bot", 20)
            visitor.send("send-text", {"content": "What is the capital of France?"})
            failed = await visitor.until(
                lambda: [m for m in visitor.received("server-message") if m["type"] == "failed"],
                "the failure",
                40,
            )
            assert said in failed[0]["text"] and name in failed[0]["text"]
            assert "avatar doctor" in failed[0]["text"]
            await asyncio.wait_for(visitor.over.wait(), 20)
        assert "fake-wrong-key" not in app.output


async def test_a_voice_whose_key_is_refused_leaves_the_answer_to_the_local_one(tmp_path):
    async with vendors() as cloud:
        env = cloud.env | {"CARTESIA_API_KEY": "fake-wrong-key"}
        async with running_app(tmp_path, *FLAGS, env=env) as app, Visitor(app.url) as visitor:
            await visitor.until(lambda: visitor.received("bot-ready"), "the bot", 20)
            visitor.send("send-text", {"content": QUESTION})
            said = lambda: REPLY in " ".join(word for word, _ in visitor.told())  # noqa: E731
            await visitor.until(said, "the answer", 40)
            shown = [m["text"] for m in server_messages(visitor, "notice")]
            told = await numbers(app.url)
        assert "The voice failed: cartesia refused the key; hibari takes its place." in shown
        (failure,) = told.all("avatar_failures_total")
        assert failure == ({"kind": "voice", "part": "cartesia", "cause": "refused the key"}, 1)
        assert "fake-wrong-key" not in app.output


@pytest.mark.drawn
@pytest.mark.realtime
@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param(402, "LiveAvatar has no credit left (402)", id="the session is refused"),
        pytest.param(None, "it did not come", id="the room cannot be joined"),
    ],
)
async def test_without_its_face_the_voice_goes_on_and_no_session_stays_open(
    status, why, brief, tmp_path
):
    async with LiveAvatar(livekit_url="ws://127.0.0.1:9") as vendor:
        if status:
            vendor.fail("/v1/sessions/start", status, lasts=True)
        env = {"LIVEAVATAR_API_KEY": vendor.key, "LIVEAVATAR_BASE_URL": vendor.url}
        async with running_app(tmp_path, *SMALL, "--persona", str(brief), env=env) as app:
            async with Visitor(app.url) as visitor:
                await visitor.hushed(0)
                assert "talk to me" in hear(pcm(visitor.sounds))
                lost = await visitor.until(lambda: server_messages(visitor, "face-lost"), "a word")
                assert "stands in" in lost[0]["text"] and lost[0]["picture"]
                assert vendor.state.sessions and not vendor.state.open_sessions
            lines = await app.ended_transcript()
            greeting = next(line for line in lines if line.get("who") == "avatar")
            assert greeting["at_s"] < FACE_TIMEOUT_S + 3, "no face is waited for that cannot come"
            (gone,) = [line["text"] for line in lines if line.get("event") == "face-lost"]
            assert gone == f"The face is gone: {why}."


async def test_liveavatars_room_that_cannot_be_opened_is_refused_with_the_reason(tmp_path):
    async with LiveAvatar(key="fake-right-key") as vendor:
        env = {"LIVEAVATAR_API_KEY": "fake-wrong-key", "LIVEAVATAR_BASE_URL": vendor.url}
        flags = ("--transport", "heygen", "--llm", "guide")
        async with running_app(tmp_path, *flags, env=env) as app:
            async with aiohttp.ClientSession() as http:
                async with http.post(f"{app.url}/start", json={"transport": "heygen"}) as answer:
                    body = await answer.json()
            lines = await app.ended_transcript()
        assert answer.status == 502
        assert "check LIVEAVATAR_API_KEY" in body["detail"]
        assert [line["text"] for line in lines if line.get("event") == "error"] == [body["detail"]]
        assert not vendor.state.open_sessions
        assert "fake-wrong-key" not in app.output


async def test_a_daily_room_is_made_for_the_user_with_the_settings_key(tmp_path):
    async with Daily() as vendor:
        env = {"DAILY_API_KEY": vendor.key, "DAILY_BASE_URL": vendor.api_url}
        async with running_app(tmp_path, "--llm", "guide", env=env) as app:
            assert "meeting: daily (cloud), DAILY_API_KEY is set" in app.output
            start = {"transport": "daily", "createDailyRoom": True}
            async with aiohttp.ClientSession() as http:
                async with http.post(f"{app.url}/start", json=start) as answer:
                    body = await answer.json()
            # Daily's library would look for the room, which is nowhere, for another 20 s.
            app.process.kill()
        assert answer.status == 200
        assert body["dailyRoom"] in [room["url"] for room in vendor.state.rooms.values()]
        assert body["dailyToken"] in vendor.state.tokens
        assert body["dailyToken"] not in app.output


async def test_a_daily_key_that_is_refused_is_said(tmp_path):
    async with Daily() as vendor:
        env = {"DAILY_API_KEY": "fake-wrong-key", "DAILY_BASE_URL": vendor.api_url}
        async with running_app(tmp_path, "--llm", "guide", env=env) as app:
            start = {"transport": "daily", "createDailyRoom": True}
            async with aiohttp.ClientSession() as http:
                async with http.post(f"{app.url}/start", json=start) as answer:
                    body = await answer.json()
        assert answer.status == 502
        assert "DAILY_API_KEY" in body["detail"]
