"""How fast the sandbox is, and how many sessions it carries: `python -m benchmarks.sandbox`.

Measures start to first picture, WebSocket audio to `speak_started`, to the first sound and to the
first picture with an open mouth, interruption to silence, how far the mouth is from its sound at
the viewer, and for 1, 2, … sessions side by side the pictures a second, the longest gap, and the
CPU they take. One of those has a viewer in this process, whose decoding is part of the CPU that is
shown; `--blind` leaves it out.
"""

import argparse
import asyncio
import base64
import gc
import os
import statistics
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from livekit import api, rtc

from liveavatar.wire import Quality
from puppet import FPS, SAMPLES_PER_FRAME, Player, load_pack
from sandbox import Address, Limits, LiveKit, livekit_server, sandbox
from sandbox.avatars import pack_of
from sandbox.livekit_server import http_url

AVATAR = "dd73ea75-1218-4ef3-92ce-606d5f7fbc0a"
LOUD = 1000
CAVITY_LUMA = 45
SETTLE_S = 2.0
ROUNDS = 5
BURSTS = 12
BURST_S, REST_S = 0.3, 0.7


@dataclass
class Viewer:
    """Somebody in the room; times are monotonic seconds."""

    room: rtc.Room = field(default_factory=rtc.Room)
    pictures_at: list[float] = field(default_factory=list)
    dark: list[int] = field(default_factory=list)
    """Dark pixels where the mouth is, by picture: an open mouth has many."""
    loud_at: list[float] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def join(self, data: dict[str, Any]) -> None:
        """Join the session's room."""
        self.room.on("track_subscribed", self._subscribed)
        await self.room.connect(data["livekit_url"], data["livekit_client_token"])

    async def leave(self) -> None:
        """Leave it."""
        await self.room.disconnect()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def _subscribed(self, track: rtc.Track, *_: Any) -> None:
        video = track.kind == rtc.TrackKind.KIND_VIDEO
        self.tasks.append(asyncio.create_task(self._look(track) if video else self._hear(track)))

    async def _look(self, track: rtc.Track) -> None:
        async for event in rtc.VideoStream(track):
            self.pictures_at.append(time.monotonic())
            self.dark.append(_dark_pixels(event.frame))

    async def _hear(self, track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=24_000):
            if np.abs(np.frombuffer(event.frame.data, np.int16)).max() > LOUD:
                self.loud_at.append(time.monotonic())


def _dark_pixels(frame: rtc.VideoFrame) -> int:
    width, height = frame.width, frame.height
    return _dark_luma(np.frombuffer(frame.data, np.uint8)[: width * height].reshape(height, width))


def _dark_luma(luma: np.ndarray) -> int:
    height, width = luma.shape
    # The lips of every pack, as a share of a 16:9 picture.
    mouth = luma[int(0.52 * height) : int(0.65 * height), int(0.45 * width) : int(0.55 * width)]
    return int((mouth < CAVITY_LUMA).sum())


@dataclass
class Talk:
    """An open session."""

    data: dict[str, Any]
    socket: aiohttp.ClientWebSocketResponse
    viewer: Viewer | None
    started_s: float
    """Seconds from the start request to its answer."""
    asked_at: float

    async def say(self, pcm: bytes) -> None:
        """Send speech in chunks of a second."""
        for at in range(0, len(pcm), 48_000):
            audio = base64.b64encode(pcm[at : at + 48_000]).decode()
            await self.socket.send_json({"type": "agent.speak", "audio": audio})

    async def until(self, type_: str) -> float:
        """Wait for an event; when it came."""
        while True:
            message = await self.socket.receive_json()
            if message["type"] == type_:
                return time.monotonic()


@asynccontextmanager
async def talking(
    http: aiohttp.ClientSession, address: Address, quality: str, *, blind: bool = False
) -> AsyncIterator[Talk]:
    """One session with its WebSocket and its viewer."""
    request = {"mode": "LITE", "avatar_id": AVATAR, "video_settings": {"quality": quality}}
    token = await _post(http, address, "token", {"X-API-KEY": address.key}, request)
    bearer = {"Authorization": f"Bearer {token['session_token']}"}
    asked_at = time.monotonic()
    data = await _post(http, address, "start", bearer)
    started_s = time.monotonic() - asked_at
    viewer = None if blind else Viewer()
    try:
        async with http.ws_connect(data["ws_url"]) as socket:
            if viewer:
                await viewer.join(data)
            yield Talk(data, socket, viewer, started_s, asked_at)
    finally:
        if viewer:
            await viewer.leave()
        await _post(http, address, "stop", bearer)


async def _post(
    http: aiohttp.ClientSession,
    address: Address,
    verb: str,
    headers: dict[str, str],
    body: Any = None,
) -> Any:
    url = f"{address.url}/v1/sessions/{verb}"
    async with http.post(url, headers=headers, json=body) as answer:
        answer.raise_for_status()
        return (await answer.json())["data"]


def speech(seconds: float) -> bytes:
    """A vowel that opens the mouth: s16le mono 24 kHz."""
    time_s = np.arange(int(24_000 * seconds)) / 24_000
    voice = sum(np.sin(2 * np.pi * 120 * n * time_s) / n for n in range(1, 12))
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_s - np.pi / 2)
    return (np.asarray(voice) * swell * 6000).clip(-32768, 32767).astype("<i2").tobytes()


async def _reach(happened: Callable[[], object], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            if happened():
                return
            await asyncio.sleep(0.002)


async def delays(http: aiohttp.ClientSession, address: Address, quality: str) -> dict[str, float]:
    """One session's delays, in milliseconds."""
    async with talking(http, address, quality) as talk:
        viewer = talk.viewer
        assert viewer
        await _reach(lambda: viewer.pictures_at)
        first_picture = viewer.pictures_at[0] - talk.asked_at
        await asyncio.sleep(SETTLE_S)
        rest, seen = max(viewer.dark[-25:]), len(viewer.dark)
        sent_at = time.monotonic()
        await talk.say(speech(4))
        speaking_at = await talk.until("agent.speak_started")
        await _reach(lambda: viewer.loud_at)
        await _reach(lambda: max(viewer.dark[seen:], default=0) > rest + 20)
        number = next(n for n, d in enumerate(viewer.dark) if n >= seen and d > rest + 20)
        interrupted_at = time.monotonic()
        await talk.socket.send_json({"type": "agent.interrupt"})
        await asyncio.sleep(1)
        times = {
            "start request to answer": talk.started_s,
            "start request to first picture": first_picture,
            "audio sent to speak_started": speaking_at - sent_at,
            "audio sent to first sound at the viewer": viewer.loud_at[0] - sent_at,
            "audio sent to open mouth at the viewer": viewer.pictures_at[number] - sent_at,
            "interrupt to last sound at the viewer": viewer.loud_at[-1] - interrupted_at,
        }
        return {name: 1000 * seconds for name, seconds in times.items()}


def bursts() -> bytes:
    """Short vowels with rests between: s16le mono 24 kHz."""
    rest = bytes(2 * int(24_000 * REST_S))
    vowel = np.frombuffer(speech(2), "<i2")[4000 : 4000 + int(24_000 * BURST_S)].tobytes()
    return (rest + vowel) * BURSTS + rest


def lags_s(loud_at: list[float], pictures_at: list[float], dark: list[int]) -> list[float]:
    """For each burst, how much later than its sound the mouth opened."""
    level = (min(dark) + max(dark)) / 2
    opened = [
        at
        for at, before, now in zip(pictures_at[1:], dark, dark[1:], strict=False)
        if before <= level < now
    ]
    onsets = [at for at, before in zip(loud_at[1:], loud_at, strict=False) if at - before > 0.3]
    near = [min(opened, key=lambda at: abs(at - onset)) - onset for onset in onsets if opened]
    return [lag for lag in near if abs(lag) < REST_S / 2]


def drawn_lags_s(quality: str) -> list[float]:
    """The same of the puppet's own pictures and sound, before any network."""
    size = Quality(quality).size
    player = Player(load_pack(pack_of(uuid.UUID(AVATAR))), size)
    player.speak(bursts())
    player.end()
    loud_at, pictures_at, dark = [], [], []
    for number in range(int((BURSTS + 1) * (BURST_S + REST_S) * FPS)):
        frame = player.tick()
        pcm = np.frombuffer(frame.audio or bytes(2 * SAMPLES_PER_FRAME), "<i2")
        for piece, sound in enumerate(pcm.reshape(4, -1)):
            if np.abs(sound).max() > LOUD:
                loud_at.append(number / FPS + piece / 100)
        pictures_at.append(number / FPS)
        dark.append(_dark_luma(frame.image[: size[1]]))
    return lags_s(loud_at, pictures_at, dark)


async def offset(http: aiohttp.ClientSession, address: Address, quality: str) -> float:
    """How much later than its sound the mouth opens at the viewer, beyond how it is drawn; ms."""
    async with talking(http, address, quality) as talk:
        viewer = talk.viewer
        assert viewer
        await _reach(lambda: viewer.pictures_at)
        await asyncio.sleep(SETTLE_S)
        seen = len(viewer.dark)
        await talk.say(bursts())
        await talk.socket.send_json({"type": "agent.speak_end"})
        await talk.until("agent.speak_ended")
        await asyncio.sleep(1)
        lags = lags_s(viewer.loud_at, viewer.pictures_at[seen:], viewer.dark[seen:])
    assert len(lags) > BURSTS // 2, "the bursts were not seen and heard"
    return 1000 * (statistics.median(lags) - statistics.median(drawn_lags_s(quality)))


async def load(
    http: aiohttp.ClientSession, address: Address, options: argparse.Namespace, count: int
) -> str:
    """So many sessions that all speak, the first of them watched: a line of the table."""
    talks = [
        talking(http, address, options.quality, blind=options.blind or number > 0)
        for number in range(count)
    ]
    opened = [await talk.__aenter__() for talk in talks]
    try:
        await asyncio.sleep(SETTLE_S)
        for talk in opened:
            await talk.say(speech(options.seconds + 1))
        cpu_s, begin_s = time.process_time(), time.monotonic()
        await asyncio.sleep(options.seconds)
        wall_s = time.monotonic() - begin_s
        cores = (time.process_time() - cpu_s) / wall_s
        seen = [talk.viewer.pictures_at for talk in opened if talk.viewer]
    finally:
        for talk in talks:
            await talk.__aexit__(None, None, None)
    measured = [_rate(at, begin_s, begin_s + wall_s) for at in seen]
    rates, gaps = [rate for rate, _ in measured], [gap for _, gap in measured]
    fps = f"{rates[0]:10.1f}" if rates else "  not seen"
    gap = f"{1000 * max(gaps):6.0f}" if gaps else "     -"
    return f"{count:8}   {fps}   {gap}   {cores:5.2f}   {cores / count:5.2f}"


def _rate(pictures_at: list[float], begin_s: float, end_s: float) -> tuple[float, float]:
    """Pictures a second and the longest gap in seconds, within a stretch of time."""
    inside = np.array([at for at in pictures_at if begin_s <= at <= end_s])
    return len(inside) / (end_s - begin_s), float(np.diff(inside).max(initial=0))


async def come_and_go(http: aiohttp.ClientSession, address: Address, count: int) -> float:
    """Open and close so many sessions with rooms, four at a time; sessions a second."""
    turns = asyncio.Semaphore(4)

    async def one() -> None:
        async with turns, talking(http, address, "low", blind=True):
            pass

    begin_s = time.monotonic()
    await asyncio.gather(*(one() for _ in range(count)))
    return count / (time.monotonic() - begin_s)


async def belongings(livekit: LiveKit) -> str:
    """What this process and the LiveKit server hold, once WebRTC has closed what it had open."""
    files = _open_files()
    while True:
        await asyncio.sleep(SETTLE_S)
        fewer = _open_files()
        if fewer >= files:
            break
        files = fewer
    async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
        rooms = len((await server.room.list_rooms(api.ListRoomsRequest())).rooms)
    return (
        f"{files} files, {len(asyncio.all_tasks())} tasks, {threading.active_count()} threads, "
        f"{rooms} rooms, {_resident_mb():.0f} MB"
    )


def _open_files() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    limits = Limits(credits=1_000_000, concurrency=100)
    async with (
        livekit_server(dev=None) as livekit,
        sandbox(livekit, limits=limits) as address,
        aiohttp.ClientSession() as http,
    ):
        if options.sessions:
            await come_and_go(http, address, 8)
            print(f"before: {await belongings(livekit)}")
            rate = await come_and_go(http, address, options.sessions)
            print(f"{options.sessions} sessions opened and closed, {rate:.1f} a second")
            print(f"after:  {await belongings(livekit)}")
            return
        rounds = [await delays(http, address, options.quality) for _ in range(ROUNDS)]
        print(f"Median of {ROUNDS} sessions at quality {options.quality}, in ms:")
        for name in rounds[0]:
            values = [measured[name] for measured in rounds]
            print(f"  {name:42} {statistics.median(values):6.0f}   (most {max(values):.0f})")
        offsets = [await offset(http, address, options.quality) for _ in range(ROUNDS)]
        print(
            f"  {'mouth after its sound at the viewer':42} {statistics.median(offsets):6.0f}",
            end="",
        )
        print(f"   ({min(offsets):.0f} to {max(offsets):.0f})")
        print("sessions   pictures/s   gap ms   cores   cores each")
        for count in options.counts:
            print(await load(http, address, options, count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quality", default="high", help="low, medium, high or very_high")
    parser.add_argument("--counts", type=int, nargs="*", default=[1, 2, 3, 4])
    parser.add_argument("--seconds", type=int, default=8, help="length of each load measurement")
    parser.add_argument("--blind", action="store_true", help="measure load without viewers")
    parser.add_argument("--sessions", type=int, help="only open and close so many sessions")
    asyncio.run(main(parser.parse_args()))
