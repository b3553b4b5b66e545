"""LiveAvatar's WebSocket: what goes over it, and what becomes of it when it breaks."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web
from livekit import rtc
from pipecat.frames.frames import BotStartedSpeakingFrame

from pipelines.guard.room import AvatarVoiceFrame, RoomFace
from pipelines.heygen import AVATAR, REOPEN_S, UNHEARD, LiteClient
from pipelines.meeting import HeyGenRunnerArguments
from pipelines.persona import Persona
from pipelines.settings import load_settings
from pipelines.transport import heygen
from pipelines.transport.heygen import LiveAvatarOutput, LiveAvatarTransport
from tests.standins.liveavatar import LiveAvatar, Session
from tests.standins.stage import running
from tests.talk.app import until


class Listening(LiveAvatar):
    """Acknowledges what it is sent while it `acknowledges`, and greets whom it `greets`."""

    acknowledges, greets, hangs_up = True, True, False
    opened = 0

    def __init__(self) -> None:
        super().__init__(livekit_url="ws://127.0.0.1:9")

    async def break_off(self) -> None:
        """Close every WebSocket properly."""
        for socket in self._lite_sockets.values():
            await socket.close()

    async def greet(self) -> None:
        """Say that it is connected."""
        for socket in self._lite_sockets.values():
            await socket.send_json({"type": "session.state_updated", "state": "connected"})

    async def tell(self, *acknowledged: str) -> None:
        """Acknowledge this."""
        for socket in self._lite_sockets.values():
            for each in acknowledged:
                await socket.send_json({"type": f"agent.audio_buffer_{each}"})

    async def _lite(self, request: web.Request) -> web.WebSocketResponse:
        session = self.state.by_token(request.query["token"])
        assert session is not None
        async with self.accept(request) as socket:
            self.opened += 1
            self._lite_sockets[session.id] = socket
            if self.greets:
                await self.greet()
            if self.hangs_up:
                await socket.close()
            async for frame in socket:
                session.messages.append(json.loads(frame.data))
        return socket


@dataclass
class Line:
    """A client that is connected, and the session of the vendor that it talks to."""

    vendor: Listening
    client: LiteClient
    output: LiveAvatarOutput

    @property
    def session(self) -> Session:
        """The session there is."""
        (session,) = self.vendor.state.open_sessions
        return session


@asynccontextmanager
async def line(vendor: Listening) -> AsyncIterator[Line]:
    """Open a session, which has no room."""
    async with vendor, aiohttp.ClientSession() as http:
        settings = load_settings(liveavatar_api_key=vendor.key, liveavatar_base_url=vendor.url)
        arguments = HeyGenRunnerArguments()
        transport = heygen.build(settings, http, arguments, (640, 360), Persona()).transport
        assert isinstance(transport, LiveAvatarTransport)
        output = transport.output()
        assert isinstance(output, LiveAvatarOutput)
        async with running(transport.input(), output) as stage:
            await stage.worker.flush_pipeline()
            await transport._client.greeted()
            yield Line(vendor, transport._client, output)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "LiveAvatar refused the key (401)"),
        (402, "LiveAvatar has no credit left (402)"),
        (404, "LiveAvatar knows no such avatar (404)"),
        (429, "LiveAvatar was asked too often (429)"),
        (500, "LiveAvatar has a failure of its own (500)"),
    ],
)
async def test_why_there_is_no_session_is_told(status, why):
    vendor = Listening()
    vendor.fail("/v1/sessions/token", status)
    async with line(vendor) as on:
        assert on.client.why == why


A, B, C = "AAAA", "BBBB", "CCCC"


async def say(on: Line, *pieces: str) -> None:
    """Let the avatar say these pieces, and wait until they have arrived."""
    for piece in pieces:
        await on.client.agent_speak(base64.b64decode(piece), "1")
    await until(lambda: said(on)[-len(pieces) :] == list(pieces), 10)


def said(on: Line) -> list[str]:
    """What was sent: the pieces, and the kind of everything else."""
    messages = on.session.messages
    return [said.get("audio", said["type"].removeprefix("agent.")) for said in messages]


async def test_what_was_not_acknowledged_is_said_again_on_the_next_websocket():
    vendor = Listening()
    async with line(vendor) as on:
        await say(on, A, B)
        await vendor.tell("appended")
        await until(lambda: len(on.client._unheard) == 1, 10)
        await vendor.break_off()
        await say(on, C)
        assert said(on) == [A, B, B, C]


async def test_nothing_is_said_again_before_the_next_websocket_is_connected():
    vendor = Listening()
    async with line(vendor) as on:
        await say(on, A, B)
        await vendor.tell("appended")
        await until(lambda: len(on.client._unheard) == 1, 10)
        vendor.greets = False
        await vendor.break_off()
        await until(lambda: vendor.opened == 2, 10)
        saying = asyncio.create_task(say(on, C))
        await on.client.stop_agent_listening()
        assert said(on) == [A, B]
        await vendor.greet()
        await saying
        assert said(on) == [A, B, B, C]


async def test_what_was_interrupted_is_not_said_again():
    vendor = Listening()
    async with line(vendor) as on:
        await say(on, A)
        await vendor.tell("appended")
        await say(on, B)
        await on.client.interrupt(None)
        await say(on, C)
        await vendor.tell("appended")  # of B
        await vendor.break_off()
        await until(lambda: said(on) == [A, B, "interrupt", C, C], 10)


async def test_an_interruption_does_not_wait_for_a_websocket_and_is_not_forgotten():
    vendor = Listening()
    async with line(vendor) as on:
        await say(on, A)
        await vendor.tell("appended")
        await say(on, B)
        vendor.greets = False
        await vendor.break_off()
        await until(lambda: vendor.opened == 2, 10)
        await asyncio.wait_for(on.client.interrupt(None), 0.2)
        await asyncio.wait_for(on.client.start_agent_listening(), 0.2)
        await vendor.greet()
        await say(on, C)
        assert said(on) == [A, B, "interrupt", C]


async def test_a_websocket_that_is_closed_at_once_is_not_opened_for_ever():
    vendor = Listening()
    async with line(vendor) as on:
        vendor.hangs_up = True
        await vendor.break_off()
        assert (reading := on.client._receive_task)
        await until(reading.done, 10)
        assert vendor.opened <= 1 + len(REOPEN_S) and not on.client.usable


async def test_what_is_never_acknowledged_is_not_kept_for_ever():
    async with line(Listening()) as on:
        for _ in range(2 * UNHEARD):
            await on.client.agent_speak_end("1")
        assert len(on.client._unheard) == UNHEARD


async def test_a_voice_that_the_avatar_publishes_anew_is_heard():
    async with line(Listening()) as on:
        heard = []

        async def hear(sound):
            heard.append(max(sound.audio))

        on.client.on_avatar_sound = hear
        former, source = (rtc.AudioSource(24_000, 1) for _ in range(2))
        for each in (former, source):
            track = rtc.LocalAudioTrack.create_audio_track("voice", each)
            on.client._on_track(track, None, SimpleNamespace(identity=AVATAR))
        loud = rtc.AudioFrame(b"\x10" * 960, 24_000, 1, 480)
        async with asyncio.timeout(5):
            while not any(heard):
                await source.capture_frame(loud)
        await former.aclose()
        await source.aclose()


async def test_an_avatar_that_is_given_up_says_nothing_more_of_what_it_was_given():
    async with line(Listening()) as on:
        await on.output.push_frame(BotStartedSpeakingFrame())
        voice = AvatarVoiceFrame(base64.b64decode(A), 24_000, 1)
        await on.output.write_audio_frame(voice)
        await RoomFace(on.client).cleanup()
        await on.output.write_audio_frame(voice)
        await on.client.stop_agent_listening()
        await until(lambda: said(on) == [A, "interrupt", "stop_listening"], 10)
