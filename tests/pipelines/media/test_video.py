"""Video on its way out: the newest wins, real time stamps, no queue."""

import asyncio
from fractions import Fraction

import cv2
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from av import Packet, VideoFrame
from pipecat.frames.frames import OutputImageRawFrame

from pipelines.media.again import AGAIN
from pipelines.media.video import (
    LONGEST_AGAIN,
    VIDEO_CLOCK,
    FaceTrack,
    Newest,
    ToRoom,
    as_rgb,
)
from tests.standins.stage import running

SIZE = (64, 48)


def rgb(colour, size=SIZE):
    image = np.full((size[1], size[0], 3), colour, np.uint8)
    return OutputImageRawFrame(image.tobytes(), size, "RGB")


def i420(colour, size=SIZE):
    image = np.full((size[1], size[0], 3), colour, np.uint8)
    return OutputImageRawFrame(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420).tobytes(), size, "I420")


def colour_of(picture):
    return np.frombuffer(picture.image, np.uint8).reshape(-1, 3).mean(axis=0)


async def test_the_newest_picture_wins_and_older_ones_are_dropped():
    newest = Newest()
    for colour in (10, 20, 30):
        newest.put(rgb(colour))
    picture, _ = await newest.take()
    assert colour_of(picture) == pytest.approx(30)
    assert newest.replaced == 2
    waiting = asyncio.create_task(newest.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    newest.put(rgb(40))
    assert colour_of((await waiting)[0]) == pytest.approx(40)


async def test_pictures_are_stamped_with_the_time_they_came():
    track = FaceTrack()
    stamps, came = [], []
    for _ in range(3):
        track.newest.put(i420(100))
        came.append(track.newest._waiting[1])  # type: ignore[index]
        frame = await track.recv()
        assert frame.pts is not None and frame.time_base
        stamps.append(float(frame.pts * frame.time_base))
        await asyncio.sleep(0.02)
    assert stamps[0] == 0
    assert np.diff(stamps) == pytest.approx(np.diff(came), abs=1e-4)


@pytest.mark.parametrize("picture", [rgb((200, 60, 60)), i420((200, 60, 60))], ids=["RGB", "I420"])
async def test_the_track_sends_i420_of_the_same_colours_and_size(picture):
    track = FaceTrack()
    track.newest.put(picture)
    frame = await track.recv()
    assert isinstance(frame, VideoFrame)
    assert (frame.format.name, frame.width, frame.height) == ("yuv420p", *SIZE)
    assert frame.to_ndarray(format="rgb24").mean(axis=(0, 1)) == pytest.approx((200, 60, 60), abs=6)


async def test_the_same_picture_is_encoded_once_in_a_while_and_otherwise_told_to_be_the_same():
    track, picture = FaceTrack(), i420(40)
    sent = []
    for number in range(2 * LONGEST_AGAIN + 1):
        track.newest.put(picture)
        frame = await track.recv()
        assert frame.time_base == Fraction(1, VIDEO_CLOCK) and (frame.pts or not number)
        sent.append(bytes(frame) if isinstance(frame, Packet) else "encoded")
    assert sent == ["encoded", *[AGAIN] * (LONGEST_AGAIN - 1)] * 2 + ["encoded"]
    track.newest.put(i420(40))
    assert isinstance(await track.recv(), VideoFrame), "another picture, whatever it shows"


async def test_a_stopped_track_sends_nothing():
    track = FaceTrack()
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


async def test_showing_a_picture_is_noticed():
    track = FaceTrack()
    track.newest.put(i420(1))
    assert not track.newest.shown.is_set()
    await track.recv()
    assert track.newest.shown.is_set()


def test_a_picture_of_the_rooms_size_and_format_is_not_touched():
    picture = rgb(7)
    assert as_rgb(picture, SIZE) is picture


def test_i420_becomes_rgb_for_a_room():
    picture = as_rgb(i420((20, 180, 90)), SIZE)
    assert (picture.format, picture.size) == ("RGB", SIZE)
    assert colour_of(picture) == pytest.approx((20, 180, 90), abs=6)


def test_a_picture_of_another_shape_is_fitted_whole_not_stretched():
    picture = as_rgb(rgb(250, (48, 48)), SIZE)
    image = np.frombuffer(picture.image, np.uint8).reshape(48, 64, 3)
    assert (image[:, :8] == 0).all() and (image[:, -8:] == 0).all()
    assert (image[:, 8:-8] == 250).all()


def torn():
    """A picture that lacks a half."""
    whole = rgb(100)
    return OutputImageRawFrame(whole.image[: len(whole.image) // 2], whole.size, whole.format)


async def test_a_picture_that_cannot_be_sent_does_not_end_the_track():
    track = FaceTrack()
    sending = asyncio.create_task(track.recv())
    track.newest.put(torn())
    await asyncio.wait_for(track.newest.shown.wait(), 5)
    track.newest.put(rgb(100))
    frame = await asyncio.wait_for(sending, 5)
    assert isinstance(frame, VideoFrame) and frame.width == SIZE[0]


async def test_a_room_that_does_not_take_a_picture_is_shown_the_next_one():
    shown, tried, next_one = [], asyncio.Event(), asyncio.Event()

    async def write(picture):
        if not shown:
            shown.append(None)
            tried.set()
            raise ConnectionError("the room is away for a moment")
        shown.append(picture)
        next_one.set()
        return True

    camera, errors = ToRoom(write, SIZE), []
    async with running(camera) as stage:
        stage.worker.add_event_handler("on_pipeline_error", lambda _, e: errors.append(e.error))
        await stage.play(rgb(10))
        await asyncio.wait_for(tried.wait(), 10)
        await stage.play(rgb(20))
        await asyncio.wait_for(next_one.wait(), 10)
    assert colour_of(shown[1]) == pytest.approx(20)
    assert len(errors) == 1 and "away for a moment" in errors[0]
