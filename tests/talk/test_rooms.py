"""Whole conversations in LiveKit rooms, and with LiveAvatar's face from the sandbox."""

import asyncio
import json
import signal
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from livekit import rtc

from guide.knowledge import KNOWLEDGE, load_knowledge
from pipelines.heygen import AVATAR
from tests.doorkeeper import env_of, show_out
from tests.rooms import staged
from tests.sandbox.listening import loud, shifts_s
from tests.speech import differences_s, hear, is_heard, say
from tests.talk.app import SMALL, App, running_app
from tests.talk.guest import Guest
from tests.talk.rehearsal import Rehearsal
from tests.talk.test_local import between, pcm, server_messages, spoken_words
from tests.talk.visitor import Visitor

LONGEST_GAP_S = 0.2
LONGEST_PAUSE_S = 0.05
ANSWERS = {title: topic.answers[0].text for title, topic in load_knowledge(KNOWLEDGE).items()}
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.drawn(2),
]


async def start(app: App, transport: str) -> dict[str, str]:
    """Ask the app for a room."""
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{app.url}/start", json={"transport": transport}) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body


def guest_in(room: dict[str, str]) -> AbstractAsyncContextManager[Guest]:
    """A user in the room that /start answered with."""
    return Guest.present(room["url"], room["token"])


async def wait(guest: Guest, happened, what: str, limit_s: float = 45) -> None:
    """Wait until something has happened in the room."""
    end_s = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < end_s, f"waited {limit_s} s for {what}"
        before = len(guest.heard)
        await guest.until(lambda seen=before: len(guest.heard) > seen or guest.gone.is_set())


async def silence(guest: Guest, since_s: float) -> None:
    """Wait until the avatar has spoken since then, and has been quiet for 1.5 s."""
    await wait(guest, lambda: guest.last_loud_at > since_s, "the avatar's voice")
    await wait(guest, lambda: time.monotonic() - guest.last_loud_at > 1.5, "silence")


async def ask(guest: Guest, question: str) -> tuple[float, bytes]:
    """Ask, and hear the answer out: when the question was over, and what came: s16le, 24 kHz."""
    guest.say(say(question))
    await asyncio.wait_for(guest.quiet.wait(), 20)
    await silence(guest, guest.quiet_at_s)
    return guest.quiet_at_s, guest.sound_since(guest.quiet_at_s).astype(np.int16).tobytes()


def gaps_s(moments: list[float], start_s: float, end_s: float) -> np.ndarray:
    return np.diff([at for at in moments if start_s <= at <= end_s])


async def test_a_conversation_in_a_livekit_room_of_ones_own(livekit, brief, tmp_path):
    flags = ("--persona", str(brief), "--transport", "livekit")
    async with running_app(tmp_path, *SMALL, *flags, env=env_of(livekit)) as app:
        room = await start(app, "livekit")
        async with guest_in(room) as guest:
            await silence(guest, 0)
            _, answer = await ask(guest, "What can you do?")
            assert is_heard(ANSWERS["What can you do"], answer, 24_000)
            assert guest.picture and guest.picture.width in (320, 316)
        assert room["token"] not in app.output and livekit.secret not in app.output


@pytest.mark.realtime
async def test_liveavatars_room_brings_face_and_voice(roomed):
    app, stage = roomed
    room = await start(app, "heygen")
    assert set(room) == {"url", "token", "sessionId"}
    async with guest_in(room) as guest:
        await silence(guest, 0)
        greeting = await stage.voice()
        over_s, heard = await ask(guest, "What can you do?")
        assert is_heard(ANSWERS["What can you do"], heard, 24_000)
        first_s = next(at for at, sound in guest.heard if at > over_s and loud(sound))
        pictures = gaps_s(guest.shown_at, first_s, guest.last_loud_at)
        assert 1 / pictures.mean() == pytest.approx(25, abs=1)
        assert pictures.max() < LONGEST_GAP_S
        answer = (await stage.voice())[len(greeting) :]
        shifts = shifts_s(answer, guest.sound_since(over_s))
        assert len(shifts) > 10, "the voice is found in what was heard"
        assert shifts.max() < LONGEST_PAUSE_S, "no gap within the voice"
        assert guest.tracks["heygen"] == {"audio", "video"}
    await nobody_left(stage)
    assert room["token"] not in app.output


async def nobody_left(stage: Rehearsal, limit_s: float = 20) -> None:
    """Wait until no session of the sandbox is open."""
    await until(stage.open_sessions, False, "the session to be stopped", limit_s)


async def until(ask, wanted: bool, what: str, limit_s: float = 20) -> None:
    """Ask again and again until the answer is as wanted."""
    end_s = time.monotonic() + limit_s
    while bool(await ask()) != wanted:
        assert time.monotonic() < end_s, f"waited {limit_s} s for {what}"
        await asyncio.sleep(0.05)


@pytest.mark.realtime
async def test_liveavatars_face_in_a_webrtc_conversation(faced):
    app, stage = faced
    async with Visitor(app.url) as visitor:
        await visitor.until(lambda: len(visitor.sights) > 50, "the face", 40)
        await visitor.hushed(0)
        assert "talk to me" in hear(pcm(visitor.sounds))
        visitor.microphone.say(say("What can you do?"))
        await asyncio.wait_for(visitor.microphone.quiet.wait(), 20)
        over_s = visitor.microphone.quiet_at_s
        end_s = await visitor.hushed(over_s)
        heard = between(visitor.sounds, over_s, end_s + 0.5)
        assert is_heard(ANSWERS["What can you do"], pcm(heard))
        late_s = np.array(differences_s(visitor.told(over_s), spoken_words(heard)))
        assert len(late_s) > 10
        assert np.median(np.abs(late_s)) < 0.25, late_s
        (turn,) = server_messages(visitor, "turn-latency")
        assert [step["name"] for step in turn["steps"]] == ["ears", "mind", "voice", "face"]
        assert visitor.sights[-1].picture.shape == (360, 640)
        assert len(await stage.open_sessions()) == 1
    await nobody_left(stage)
    spend = (await app.ended_transcript())[-1]["spend"]
    assert spend["used"] == {"lite_minutes": await stage.credits()}
    assert spend["dollars"] == pytest.approx(0.1 * spend["used"]["lite_minutes"])


@pytest.mark.realtime
async def test_a_page_can_silence_liveavatars_face(faced):
    app, stage = faced
    async with Visitor(app.url) as visitor:
        await visitor.until(lambda: len(visitor.sights) > 50, "the face", 40)
        await visitor.hushed(0)
        start_s = visitor.sounds[-1].at_s
        visitor.send("send-text", {"content": "What can you do?"})
        await visitor.until(lambda: len(visitor.told(start_s)) > 3, "some words", 30)
        visitor.send("client-message", {"t": "interrupt"})
        await visitor.until(lambda: visitor.received("bot-interrupted", start_s), "silence")
        cut_s = visitor.sounds[-1].at_s
        await visitor.until(lambda: visitor.sounds[-1].at_s > cut_s + 2.5, "a moment after it")
        assert not any(s.loud for s in between(visitor.sounds, cut_s + 1, cut_s + 2.5))
        assert len(visitor.told(start_s)) < 15
    await nobody_left(stage)


@pytest.mark.drawn
@pytest.mark.parametrize("transport", ["webrtc", "heygen"])
async def test_a_signal_stops_the_avatar_session_before_the_process(transport, livekit, tmp_path):
    flags = ("--transport", "heygen") if transport == "heygen" else ("--avatar", "heygen")
    async with staged(livekit, tmp_path, *flags) as (app, stage):
        if transport == "heygen":
            await start(app, "heygen")
            assert len(await stage.open_sessions()) == 1
            app.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(app.process.wait(), 20)
        else:
            async with Visitor(app.url) as visitor:
                await visitor.until(lambda: len(visitor.sights) > 5, "the face", 40)
                assert len(await stage.open_sessions()) == 1
                app.process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(app.process.wait(), 20)
        assert not await stage.open_sessions()


@pytest.mark.realtime
async def test_a_face_that_dies_in_mid_speech_is_missed_and_the_voice_goes_on(livekit, tmp_path):
    faults = ["speak:close-room after=2 times=1"]
    async with staged(livekit, tmp_path, "--avatar", "heygen", faults=faults) as (app, _):
        async with Visitor(app.url) as visitor:
            await visitor.until(lambda: len(visitor.sights) > 5, "the face", 40)
            # It dies in the greeting, or in the answer if it came too late for the greeting.
            await visitor.hushed(0)
            visitor.send("send-text", {"content": "What can you do?"})
            await visitor.until(lambda: server_messages(visitor, "face-lost"), "the notice", 30)
            await visitor.hushed(visitor.sounds[-1].at_s - 1)
            await visitor.until(lambda: server_messages(visitor, "face-back"), "its return", 30)
        lines = await app.ended_transcript()
        said = " ".join(line["text"] for line in lines if line.get("who") == "avatar")
        heard = hear(pcm(visitor.sounds))
        assert is_heard(said, pcm(visitor.sounds))
        assert len(heard.split()) <= 1.1 * len(said.split()), "no word is said again"


@pytest.mark.realtime
async def test_a_face_that_takes_long_holds_nothing_up_and_is_not_left_behind(
    livekit, brief, tmp_path
):
    flags = ("--persona", str(brief), "--avatar", "heygen")
    async with staged(livekit, tmp_path, *flags, faults=["start:delay by=30"]) as (app, stage):
        async with Visitor(app.url) as visitor:
            await visitor.hushed(0)
            assert "talk to me" in hear(pcm(visitor.sounds))
        (greeting, *_) = [line for line in await app.ended_transcript() if line.get("who")]
        assert greeting["at_s"] < 3
        await nobody_left(stage)


@pytest.mark.realtime
async def test_a_room_that_is_closed_ends_the_conversation_and_its_session(roomed):
    app, stage = roomed
    before = app.transcripts()
    await start(app, "heygen")
    await stage.reset()
    assert app.transcripts() != before
    await app.ended_transcript()
    assert not await stage.open_sessions()


async def test_an_avatar_that_is_lost_in_its_own_room_is_told_to_the_page_and_written_down(
    roomed, livekit
):
    app, stage = roomed
    lost = asyncio.Event()

    def read(packet: rtc.DataPacket) -> None:
        message = json.loads(packet.data)
        if message["data"].get("type") == "face-lost" and message["data"]["text"]:
            lost.set()

    async with guest_in(await start(app, "heygen")) as guest:
        guest.room.on("data_received", read)
        await silence(guest, 0)
        (session,) = await stage.open_sessions()
        await show_out(livekit, session["id"], AVATAR)
        await asyncio.wait_for(lost.wait(), 10)
    lines = await app.ended_transcript()
    assert [line["text"] for line in lines if line.get("event") == "face-lost"]
    await nobody_left(stage)


async def test_without_a_key_a_sandbox_runs_beside_the_avatar_and_ends_with_it(
    livekit_binary, tmp_path
):
    async with running_app(tmp_path, *SMALL, "--avatar", "heygen", limit_s=120) as app:
        assert "it is the sandbox on this machine (a key in .env changes that)" in app.output
        async with Visitor(app.url) as visitor:
            await visitor.until(lambda: len(visitor.sights) > 25, "the face", 40)
            await visitor.until(lambda: visitor.received("bot-started-speaking"), "a word", 40)
        children = _descendants(app.process.pid)
        assert len(children) >= 2, "the sandbox and its LiveKit server"
        app.process.kill()
        await app.process.wait()

        async def any_left() -> bool:
            return _runs_any(children)

        await until(any_left, False, "the sandbox and its LiveKit server to end")


def _descendants(pid: int) -> list[int]:
    """Processes started by a process, and by those."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = [int(child) for child in file.read().split()]
    return children + [grand for child in children for grand in _descendants(child)]


def _runs_any(pids: list[int]) -> bool:
    return any(Path(f"/proc/{pid}").exists() for pid in pids)
