"""A guarded face that speaks, and a gallery from which it is heard and seen."""

import asyncio
import atexit
import functools
import json
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import aiohttp
import numpy as np
from livekit import rtc
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    OutputAudioRawFrame,
    OutputImageRawFrame,
    OutputTransportReadyFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame
from pipecat.runner.types import LiveKitRunnerArguments
from pipecat.workers.runner import WorkerRunner

from liveavatar.wire import SANDBOX_AVATARS
from pipelines.avatar import heygen as part
from pipelines.direct.meeting import build_direct
from pipelines.guard.cast import Cast, cast, warm_up
from pipelines.guard.face import FaceGuard
from pipelines.guard.seat import ElsewhereFrame
from pipelines.media.follower import is_loud
from pipelines.meeting import HeyGenRunnerArguments, Invitation, Meeting
from pipelines.persona import Persona
from pipelines.settings import Settings, load_settings
from pipelines.size import picture_size
from pipelines.transport import heygen as transport
from sandbox import LiveKit
from tests.faults.scale import RATE, Listener, scale
from tests.sandbox.caller import Viewer

FRAME = 2 * RATE // 25
# The identity of the bot, of which a viewer hears only what it says.
BOT = "agent"
ENTRY_S = 60


class Gallery(FrameProcessor):
    """Keeps what is heard, seen and told; in a room, what is heard there."""

    def __init__(self, viewer: Viewer | None = None) -> None:
        super().__init__()
        self.is_told = False
        """Whether a face that is elsewhere is told of, and seen only from then on."""
        self.told: list[dict[str, Any]] = []
        self.louds: list[float] = []
        self.viewer = viewer
        self._picture = "nobody"
        self._listener = Listener()
        self._news = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note it. LiveAvatar's pictures are RGB, a stand-in's I420."""
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputAudioRawFrame) and not self.viewer:
            self.hear(frame.audio, frame.sample_rate)
        elif isinstance(frame, OutputImageRawFrame):
            self._picture = "face" if frame.format == "RGB" else "stand-in"
        elif isinstance(frame, ElsewhereFrame):
            self._picture = "face"
        elif isinstance(frame, RTVIServerMessageFrame) and not self.viewer:
            self.told.append(frame.data)
        self._news.set()
        await self.push_frame(frame, direction)

    def read(self, message: dict[str, Any]) -> None:
        """Read what a room tells a page."""
        if message.get("type") == "server-message":
            self.told.append(message["data"])
        self._news.set()

    def hear(self, sound: bytes, rate: int) -> None:
        """Listen to a piece of sound; in a room, that of several comes at once."""
        loud = is_loud(np.frombuffer(sound, np.int16))
        if loud:
            self.louds.append(time.monotonic())
        if loud or not self.viewer:
            self._listener.hear(sound, rate)
        self._news.set()

    async def until(self, condition: Callable[[], Any], what: str, limit_s: float = 30) -> Any:
        """Wait until something holds."""
        try:
            async with asyncio.timeout(limit_s):
                while not (found := condition()):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            known = f"{self._listener.tones} {self.told} {self.shown}"
            raise AssertionError(f"{limit_s} s without {what}: {known}") from None
        return found

    @property
    def heard(self) -> list[int]:
        """The tones that were heard, in order; a slip between two is none."""
        numbers = [number for number, seconds in self._listener.tones if seconds > 0.05]
        return [number for number, _ in groupby(numbers)]

    def longest_wait_s(self, since_s: float) -> float:
        """The longest silence since then, until the sound after it."""
        moments = [since_s, *(at_s for at_s in self.louds if at_s > since_s)]
        return max(after - before for before, after in pairwise(moments))

    def first_wait_s(self, since_s: float) -> float:
        """The silence from then on."""
        return next(at_s for at_s in self.louds if at_s > since_s) - since_s

    @property
    def shown(self) -> str:
        """Whose picture is seen: "face", "stand-in" or "nobody"."""
        if self.viewer and not self.is_told and BOT not in (seen := cameras(self.viewer.room)):
            return "face" if seen else "nobody"
        return self._picture


def cameras(room: rtc.Room) -> set[str]:
    """Who publishes a picture now."""
    return {
        identity
        for identity, participant in room.remote_participants.items()
        for publication in participant.track_publications.values()
        if publication.kind == rtc.TrackKind.KIND_VIDEO
    }


class Show:
    """A guarded face that is on, and its gallery."""

    def __init__(self, faces: Cast, *around: Any, gallery: Gallery | None = None) -> None:
        self.why: list[str] = []
        self.gallery = gallery or Gallery()
        guard = FaceGuard(faces)
        guard.add_event_handler("on_face_lost", self._lost)
        begin, *end = around or (None,)
        parts = [*([begin] if begin else []), guard, self.gallery, *end]
        self.worker = PipelineWorker(
            Pipeline(parts),
            params=PipelineParams(),
            idle_timeout_secs=None,
            enable_rtvi=self.gallery.viewer is not None,
        )

    async def _lost(self, _guard: FaceGuard, why: str) -> None:
        self.why.append(why)

    async def say(self, count: int) -> float:
        """Say a scale of so many tones; when."""
        pcm = scale(count)
        starts = range(0, len(pcm), FRAME)
        voice = [TTSAudioRawFrame(pcm[at : at + FRAME], RATE, 1) for at in starts]
        await self.worker.queue_frames([TTSStartedFrame(), *voice, TTSStoppedFrame()])
        return time.monotonic()


@asynccontextmanager
async def _running(show: Show) -> AsyncIterator[Show]:
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(show.worker)
    started = asyncio.Event()
    show.worker.add_event_handler("on_pipeline_started", lambda *_: started.set())
    running = asyncio.create_task(runner.run())
    try:
        await asyncio.wait_for(started.wait(), 20)
        yield show
    finally:
        await show.worker.queue_frame(EndFrame())
        await asyncio.wait_for(running, 40)


def _settings(url: str, key: str, fallback: str, **more: Any) -> Settings:
    return load_settings(
        **more,
        liveavatar_api_key=key,
        liveavatar_base_url=url,
        liveavatar_quality="low",
        liveavatar_avatar_id=SANDBOX_AVATARS[0],
        avatar_fallback=fallback,
        avatar_ledger=_ledger(),
    )


@functools.cache
def _ledger() -> str:
    """A folder of this process, in which is written what faces cost."""
    folder = tempfile.mkdtemp(prefix="ledger")
    atexit.register(shutil.rmtree, folder)
    return folder


@asynccontextmanager
async def show(url: str, key: str) -> AsyncIterator[Show]:
    """Run LiveAvatar's face until the block ends, then end it in good order."""
    settings, persona = _settings(url, key, "portrait"), Persona()
    async with aiohttp.ClientSession() as http:
        size = picture_size(settings, "heygen")
        build = lambda: part.build(settings, persona, http)  # noqa: E731
        on = Show(cast("heygen", build, settings, persona, http, size))
        async with _running(on):
            await on.worker.queue_frame(OutputTransportReadyFrame())
            yield on


@asynccontextmanager
async def showing(faces: Cast) -> AsyncIterator[Show]:
    """Run any faces until the block ends."""
    async with _running(Show(faces)) as on:
        yield on


class Guest(Viewer):
    """Somebody in the room, who tells the gallery of all that is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = Gallery(self)
        self.room.on("data_received", lambda packet: self.gallery.read(json.loads(packet.data)))

    def _keep(self, samples: np.ndarray) -> None:
        super()._keep(samples)
        self.gallery.hear(samples.astype(np.int16).tobytes(), RATE)

    def _subscribed(self, track: rtc.Track, _: Any, participant: rtc.RemoteParticipant) -> None:
        super()._subscribed(track, _, participant)
        self.gallery.hear(b"", RATE)


@asynccontextmanager
async def in_own_room(url: str, key: str) -> AsyncIterator[Show]:
    """Run LiveAvatar in its own room, with somebody in it."""
    settings, persona = _settings(url, key, "puppet"), Persona()
    async with aiohttp.ClientSession() as http:
        size = picture_size(settings, "heygen")
        meeting = transport.build(settings, http, HeyGenRunnerArguments(), size, persona)
        assert meeting.room
        async with _attended(meeting, meeting.room, settings, http) as on:
            yield on


@asynccontextmanager
async def in_room(url: str, key: str, livekit: LiveKit) -> AsyncIterator[Show]:
    """Run LiveAvatar in a room of one's own that it joins itself, with somebody in it."""
    keys = {"livekit_api_key": livekit.key, "livekit_api_secret": livekit.secret}
    leads = {"livekit_url": livekit.url, **keys, "liveavatar_room": "direct"}
    settings, persona = _settings(url, key, "puppet", **leads), Persona()
    name = f"faults-{uuid.uuid4().hex[:8]}"
    arguments = LiveKitRunnerArguments(name, livekit.url, token=livekit.token(name, BOT, ENTRY_S))

    async def open_room() -> Invitation:
        return Invitation(livekit.url, livekit.token(name, "guest", ENTRY_S))

    async with aiohttp.ClientSession() as http:
        size = picture_size(settings, "heygen")
        meeting = build_direct(settings, http, arguments, size, persona)
        async with _attended(meeting, open_room, settings, http) as on:
            on.gallery.is_told = True
            viewer = on.gallery.viewer
            assert viewer
            await viewer.until(lambda: "audio" in viewer.tracks.get(BOT, ()))
            yield on


@asynccontextmanager
async def _attended(
    meeting: Meeting,
    open_room: Callable[[], Awaitable[Invitation]],
    settings: Settings,
    http: aiohttp.ClientSession,
) -> AsyncIterator[Show]:
    """Run the face of a place, with somebody there."""
    assert meeting.face
    size = picture_size(settings, "heygen")
    await asyncio.to_thread(warm_up, settings, Persona(), size)
    faces = replace(cast("heygen", meeting.face, settings, Persona(), http, size), rolls_over=False)
    guest = Guest()
    ends = (meeting.transport.input(), *meeting.pictures, meeting.transport.output())
    async with _running(Show(faces, *ends, gallery=guest.gallery)) as on:
        room = await open_room()
        await guest.room.connect(room.url, room.token)
        try:
            yield on
        finally:
            await guest.aclose()
