"""Pipecat's own HeyGen classes, unmodified, against the sandbox: from token to stop."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import numpy as np
import pytest
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    InterruptionFrame,
    OutputImageRawFrame,
    SpeechOutputAudioRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.frames.frames import OutputTransportReadyFrame as Ready
from pipecat.services.heygen.api_liveavatar import (
    LiveAvatarApi,
    LiveAvatarNewSessionRequest,
    VideoEncoding,
    VideoQuality,
    VideoSettings,
)
from pipecat.services.heygen.client import ServiceType
from pipecat.services.heygen.video import HeyGenVideoService
from pipecat.transports.heygen.transport import HeyGenParams, HeyGenTransport

from pipelines.avatar.heygen import FIRST_PIECE_S, build
from pipelines.guard.room import AvatarVoiceFrame
from pipelines.persona import Persona
from pipelines.settings import Settings, load_settings
from pipelines.transport.heygen import LiveAvatarTransport
from tests.sandbox.caller import PATIENCE_S, WAYNE, Caller, tone
from tests.standins.stage import Stage, running

VENDORS = LiveAvatarApi.BASE_URL
FRAME_BYTES = 1920


@pytest.fixture
def redirected(roomy: Caller) -> Iterator[Caller]:
    """The sandbox, as the one LiveAvatar Pipecat knows."""
    LiveAvatarApi.BASE_URL = f"{roomy.url}/v1"  # pyright: ignore[reportAttributeAccessIssue]
    yield roomy
    LiveAvatarApi.BASE_URL = VENDORS


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


def request() -> LiveAvatarNewSessionRequest:
    """A LITE session in a small picture."""
    video = VideoSettings(encoding=VideoEncoding.H264, quality=VideoQuality.low)
    return LiveAvatarNewSessionRequest(avatar_id=WAYNE, video_settings=video)


def settings_for(caller: Caller) -> Settings:
    """What leads our own classes to the sandbox."""
    return load_settings(
        liveavatar_api_key=caller.key["X-API-KEY"],
        liveavatar_base_url=caller.url,
        liveavatar_quality="low",
        liveavatar_avatar_id=WAYNE,
    )


def service(caller: Caller, http: aiohttp.ClientSession) -> HeyGenVideoService:
    return HeyGenVideoService(
        api_key=caller.key["X-API-KEY"],
        session=http,
        session_request=request(),
        service_type=ServiceType.LIVE_AVATAR,
    )


def tts(pcm: bytes) -> list[TTSAudioRawFrame]:
    """Speech as a voice gives it: frames of 40 ms."""
    chunks = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
    return [TTSAudioRawFrame(chunk, 24_000, 1) for chunk in chunks]


def is_loud(frame: SpeechOutputAudioRawFrame) -> bool:
    return int(np.abs(np.frombuffer(frame.audio, np.int16)).max()) > 1000


async def commands(caller: Caller, wanted: str, way: str = "received") -> list[str]:
    """Wait until the only session has received (or sent) a message; all it received (or sent)."""
    [session] = caller.desk.account.sessions.values()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            received = _messages(session.log, way)
            if wanted in received:
                return received
            await asyncio.sleep(0.02)


def _messages(log: list[dict], way: str = "received") -> list[str]:
    return [entry["message"]["type"] for entry in log if entry["way"] == way]


async def test_the_video_service_speaks_through_the_avatar_and_stops_its_session(
    redirected: Caller, http: aiohttp.ClientSession
) -> None:
    async with running(service(redirected, http)) as stage:
        await stage.play(Ready(), TTSStartedFrame(), *tts(tone(1)), TTSStoppedFrame())
        image = await _seen(stage)
        assert image.size == (640, 360)
        assert image.format == "RGB"
        voice = await stage.first(SpeechOutputAudioRawFrame, is_loud)
        assert voice.sample_rate == 48_000
        received = await commands(redirected, "agent.speak_end")
        assert received == ["agent.speak", "agent.speak", "agent.speak_end"]
    [session] = redirected.desk.account.sessions.values()
    assert session.end_reason == "UNKNOWN"
    assert redirected.desk.theatre.playing == 0


async def test_our_service_gives_the_face_the_first_sound_at_once_and_more_at_a_time_later(
    redirected: Caller, http: aiohttp.ClientSession
) -> None:
    async with running(build(settings_for(redirected), Persona(), http)) as stage:
        await stage.play(Ready(), TTSStartedFrame(), *tts(tone(4)), TTSStoppedFrame())
        await _seen(stage)
        await commands(redirected, "agent.speak_end")
        [session] = redirected.desk.account.sessions.values()
        pieces = [e["message"].get("audio_base64_chars", 0) * 3 // 4 for e in session.log]
        first, *later, _rest = pieces_s = [size / 48_000 for size in pieces if size]
        assert first == pytest.approx(FIRST_PIECE_S, abs=0.001)
        assert later == sorted(later) and 0.3 < later[-1] <= 1
        assert sum(pieces_s) == pytest.approx(4, abs=0.01)


async def test_the_video_service_interrupts_and_listens(
    redirected: Caller, http: aiohttp.ClientSession
) -> None:
    async with running(service(redirected, http)) as stage:
        await stage.play(Ready(), TTSStartedFrame(), *tts(tone(3)))
        await stage.first(SpeechOutputAudioRawFrame, is_loud)
        await commands(redirected, "agent.speak_started", way="sent")
        await stage.play(UserStartedSpeakingFrame())
        await commands(redirected, "agent.start_listening")
        await stage.play(UserStoppedSpeakingFrame())
        received = await commands(redirected, "agent.stop_listening")
        assert "agent.interrupt" in received
        [session] = redirected.desk.account.sessions.values()
        sent = [e["message"]["type"] for e in session.log if e["way"] == "sent"]
        assert "agent.speak_interrupted" in sent


async def _seen(stage: Stage) -> OutputImageRawFrame:
    return await stage.first(OutputImageRawFrame)


def room_of(caller: Caller, http: aiohttp.ClientSession) -> HeyGenTransport:
    return HeyGenTransport(
        session=http,
        api_key=caller.key["X-API-KEY"],
        params=HeyGenParams(audio_in_enabled=True, audio_out_enabled=True),
        session_request=request(),
        service_type=ServiceType.LIVE_AVATAR,
    )


async def test_an_interruption_reaches_the_avatar_in_its_own_room(
    redirected: Caller, http: aiohttp.ClientSession
) -> None:
    transport = LiveAvatarTransport(settings_for(redirected), Persona(), http, (640, 360))
    connected = asyncio.Event()
    transport.add_event_handler("on_connected", lambda *_: connected.set())
    async with running(transport.input(), transport.output()) as stage:
        await asyncio.wait_for(connected.wait(), PATIENCE_S)
        voice = [AvatarVoiceFrame(frame.audio, 24_000, 1) for frame in tts(tone(3))]
        await stage.play(TTSStartedFrame(), *voice)
        await commands(redirected, "agent.speak_started", way="sent")
        await stage.play(InterruptionFrame())
        sent = await commands(redirected, "agent.speak_interrupted", way="sent")
        assert "agent.audio_buffer_cleared" in sent


async def test_the_transport_speaks_in_the_room_and_stops_its_session(
    redirected: Caller, http: aiohttp.ClientSession
) -> None:
    transport = room_of(redirected, http)
    connected, came, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
    transport.add_event_handler("on_connected", lambda *_: connected.set())
    transport.add_event_handler("on_client_connected", lambda *_: came.set())
    transport.add_event_handler("on_client_disconnected", lambda *_: gone.set())
    async with running(transport.input(), transport.output()) as stage:
        await asyncio.wait_for(connected.wait(), PATIENCE_S)
        [session] = redirected.desk.account.sessions.values()
        livekit = redirected.livekit
        viewer = await redirected.join(livekit.url, livekit.token(session.id, "client", 60))
        await asyncio.wait_for(came.wait(), PATIENCE_S)
        await stage.play(TTSStartedFrame(), *tts(tone(1)), TTSStoppedFrame())
        await viewer.until(lambda: viewer.last_loud_at > 0)
        await stage.first(BotStoppedSpeakingFrame)
        received = await commands(redirected, "agent.speak_end")
        assert received.count("agent.speak") >= 20
        assert viewer.tracks["heygen"] == {"audio", "video"}
        await viewer.aclose()
        await asyncio.wait_for(gone.wait(), PATIENCE_S)
    assert session.end_reason is not None
    assert redirected.desk.theatre.playing == 0
