"""Somebody who calls a sandbox: REST, the LITE WebSocket, and a seat in the room."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import numpy as np
from livekit import api, rtc

from sandbox import LiveKit
from sandbox.desk import Desk
from sandbox.livekit_server import http_url
from tests.sandbox.listening import loud

WAYNE = "dd73ea75-1218-4ef3-92ce-606d5f7fbc0a"
LITE = {"mode": "LITE", "avatar_id": WAYNE, "video_settings": {"quality": "low"}}
FULL = {"mode": "FULL", "avatar_id": WAYNE, "video_settings": {"quality": "low"}}
PATIENCE_S = 15.0
Envelope = dict[str, Any]


def tone(seconds: float, hertz: float = 300.0) -> bytes:
    """A tone: s16le mono 24 kHz."""
    time_s = np.arange(int(24_000 * seconds)) / 24_000
    return (np.sin(2 * np.pi * hertz * time_s) * 9000).astype("<i2").tobytes()


class Lite:
    """An open LITE WebSocket; every event is kept."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            async with self._changed:
                self.events.append(message.json())
                self._changed.notify_all()
        async with self._changed:
            self._changed.notify_all()

    async def send(self, type_: str, **fields: Any) -> None:
        """Send a command."""
        await self.socket.send_json({"type": type_, **fields})

    async def speak(self, pcm: bytes, event_id: str | None = None) -> None:
        """Send a chunk of speech."""
        audio = base64.b64encode(pcm).decode()
        await self.send("agent.speak", audio=audio, event_id=event_id)

    async def say(self, pcm: bytes, event_id: str | None = None) -> None:
        """Send an utterance, in chunks of a second."""
        for begin in range(0, len(pcm), 48_000):
            await self.speak(pcm[begin : begin + 48_000], event_id)
        await self.send("agent.speak_end", event_id=event_id)

    async def until(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Wait for an event that fits. Raises: TimeoutError."""
        wanted = {"type": type_, **fields}

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if wanted.items() <= event.items()]

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(found)
        return found()[0]

    async def closed(self) -> int | None:
        """Wait until the server has closed the socket; its code."""
        await asyncio.wait_for(asyncio.shield(self._reading), PATIENCE_S)
        return self.socket.close_code

    def types(self) -> list[str]:
        """The types of all events, in order."""
        return [event["type"] for event in self.events]

    def named(self, type_: str) -> list[dict[str, Any]]:
        """All events of a type."""
        return [event for event in self.events if event["type"] == type_]

    async def aclose(self) -> None:
        """Hang up."""
        await self.socket.close()
        await asyncio.wait_for(asyncio.shield(self._reading), PATIENCE_S)


@dataclass
class Call:
    """A session that was asked for; `data` is the answer to start, {} before."""

    id: str
    token: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def bearer(self) -> dict[str, str]:
        """Its credential."""
        return {"Authorization": f"Bearer {self.token}"}


class Caller:
    """Somebody with the key; what is opened is closed with the fixture."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        key: str,
        stack: contextlib.AsyncExitStack,
        livekit: LiveKit | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.http = http
        self._livekit = livekit
        self._desk = desk
        self.url = url
        self.key = {"X-API-KEY": key}
        self._stack = stack

    @property
    def livekit(self) -> LiveKit:
        """The server of the rooms."""
        assert self._livekit, "this sandbox has no rooms"
        return self._livekit

    @property
    def desk(self) -> Desk:
        """What is behind the server."""
        assert self._desk, "this server is not in this process"
        return self._desk

    async def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Envelope]:
        """Status and envelope; with the key unless other headers are given."""
        chosen = self.key if headers is None else headers
        async with self.http.request(
            method, f"{self.url}{path}", json=body, headers=chosen
        ) as answer:
            text = await answer.text()
            return answer.status, (await answer.json() if text else {})

    async def token(self, **request: Any) -> Call:
        """A session that is not started; LITE in a small picture unless told otherwise."""
        status, answer = await self.ask("POST", "/v1/sessions/token", {**LITE, **request})
        assert status == 200, answer
        return Call(answer["data"]["session_id"], answer["data"]["session_token"])

    async def start(self, call: Call) -> tuple[int, Envelope]:
        """Start a session."""
        status, answer = await self.ask("POST", "/v1/sessions/start", headers=call.bearer)
        call.data = answer.get("data") or {}
        return status, answer

    async def open(self, **request: Any) -> Call:
        """A session that runs."""
        call = await self.token(**request)
        status, answer = await self.start(call)
        assert status == 201, answer
        return call

    async def lite(self, call: Call) -> Lite:
        """The session's WebSocket."""
        lite = Lite(await self.http.ws_connect(call.data["ws_url"]))
        self._stack.push_async_callback(lite.aclose)
        return lite

    async def talk(self, **request: Any) -> tuple[Call, Lite]:
        """A session that runs, and its WebSocket, greeted."""
        call = await self.open(**request)
        lite = await self.lite(call)
        await lite.until("session.state_updated", state="connected")
        return call, lite

    async def order(self, fault: str) -> None:
        """Order a fault over the control plane."""
        status, answer = await self.ask("POST", "/_sandbox/faults", {"fault": fault})
        assert status == 200, answer

    async def session(self, call: Call) -> dict[str, Any]:
        """The session, as the API shows it."""
        return (await self.ask("GET", f"/v1/sessions/{call.id}"))[1]["data"]

    async def ended(self, call: Call) -> str:
        """Wait until a session is over; why."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                shown = await self.session(call)
                if "end_reason" in shown:
                    return shown["end_reason"]
                await asyncio.sleep(0.02)

    async def watch(self, call: Call) -> "Viewer":
        """Join the session's room as its client."""
        return await self.join(call.data["livekit_url"], call.data["livekit_client_token"])

    async def join(self, url: str, token: str) -> "Viewer":
        """Join a room and look."""
        viewer = await Viewer.joining(url, token)
        self.leaves(viewer)
        return viewer

    def leaves(self, viewer: "Viewer") -> None:
        """Have a viewer leave with the fixture."""
        self._stack.push_async_callback(viewer.aclose)


class Viewer:
    """Somebody in the room: keeps when pictures came, the last one, and all sound."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.shown_at: list[float] = []
        self.picture: rtc.VideoFrame | None = None
        self.heard: list[tuple[float, np.ndarray]] = []
        self.last_loud_at = 0.0
        """When the last sound came that is no silence; 0 if none did."""
        self.tracks: dict[str, set[str]] = {}
        self.gone = asyncio.Event()
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("disconnected", lambda _: self.gone.set())

    @classmethod
    async def joining(cls, url: str, token: str) -> Self:
        """Join a room."""
        viewer = cls()
        await viewer.room.connect(url, token)
        return viewer

    @classmethod
    @contextlib.asynccontextmanager
    async def present(cls, url: str, token: str) -> AsyncIterator[Self]:
        """Be in a room until the block ends."""
        viewer = await cls.joining(url, token)
        try:
            yield viewer
        finally:
            await viewer.aclose()

    async def aclose(self) -> None:
        """Leave."""
        await self.room.disconnect()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until something is true. Raises: TimeoutError."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(happened)

    def sound(self) -> np.ndarray:
        """All sound so far: float64 samples at 24 kHz."""
        return np.concatenate([np.zeros(0), *(samples for _, samples in self.heard)])

    def _subscribed(self, track: rtc.Track, _: Any, participant: rtc.RemoteParticipant) -> None:
        video = track.kind == rtc.TrackKind.KIND_VIDEO
        kind = "video" if video else "audio"
        self.tracks.setdefault(participant.identity, set()).add(kind)
        # A bot beside the avatar has a voice for when the avatar is gone, silent until then.
        beside = participant.identity == "agent"
        work = self._look(track) if video else self._hear(track, beside=beside)
        self._tasks.append(asyncio.create_task(work))

    async def _look(self, track: rtc.Track) -> None:
        async for event in rtc.VideoStream(track):
            self.picture = event.frame
            await self._note(lambda: self.shown_at.append(time.monotonic()))

    async def _hear(self, track: rtc.Track, *, beside: bool) -> None:
        async for event in rtc.AudioStream(track, sample_rate=24_000):
            samples = np.frombuffer(event.frame.data, np.int16).astype(float)
            if loud(samples) or not beside:
                await self._note(lambda s=samples: self._keep(s))

    def _keep(self, samples: np.ndarray) -> None:
        now_s = time.monotonic()
        self.heard.append((now_s, samples))
        if loud(samples):
            self.last_loud_at = now_s

    async def _note(self, keep: Callable[[], None]) -> None:
        async with self._changed:
            keep()
            self._changed.notify_all()


async def rooms(livekit: LiveKit) -> set[str]:
    """The names of the rooms that are open on a server."""
    async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
        return {room.name for room in (await server.room.list_rooms(api.ListRoomsRequest())).rooms}
