"""A picture is sent as large as it is seen, and as large as the link carries."""

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.vpx import vp8_depayload
from av import Packet, VideoFrame
from pipecat.frames.frames import OutputImageRawFrame

from pipelines.avatar.puppet import PuppetVideoService
from pipelines.media.encoder import FULL, SteadyH264Encoder, SteadyVp8Encoder
from pipelines.media.video import FaceTrack, Newest, ToTrack
from pipelines.media.view import View, ViewFrame, frame_of, scaled, shrunk
from puppet import load_pack
from tests.standins.stage import running

HD = (1280, 720)


def picture(size: tuple[int, int], luma: int = 90) -> OutputImageRawFrame:
    planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
    planes[: size[1]] = luma
    return OutputImageRawFrame(planes.tobytes(), size, "I420")


@pytest.mark.parametrize(
    ("area", "sent"),
    [
        (None, HD),
        ((2560, 1440), HD),
        ((1280, 720), HD),
        ((1170, 300), HD),
        ((900, 500), (960, 540)),
        ((700, 390), (640, 360)),
        ((390, 700), HD),
        ((100, 60), (426, 240)),
    ],
)
def test_it_is_as_large_as_its_area_asks_for_in_few_steps(area, sent):
    assert View(area).fitted(HD) == sent


def test_it_stays_as_large_as_it_was_while_nobody_sees_it():
    view = View()
    view.look(640, 360)
    view.look(0, 0)
    assert (view.seen, view.fitted(HD)) == (False, (640, 360))


def test_all_sides_are_even():
    sizes = [scaled((w, h), Fraction(1, 3)) for w, h in ((854, 480), (720, 1280), (128, 128))]
    assert sizes == [(284, 160), (240, 426), (42, 42)]


def test_what_is_shrunk_shows_the_same():
    half = np.full((360 * 3 // 2, 640), 128, np.uint8)
    half[:360, :320], half[:360, 320:] = 60, 200
    small = shrunk(half, (320, 180))
    assert small.shape == (270, 320)
    assert small[:180, :150].mean() == 60 and small[:180, 170:].mean() == 200
    assert (small[180:] == 128).all()


async def test_a_track_follows_the_area_from_picture_to_picture():
    newest, view, shown = Newest(), View(), picture(HD)
    track, sizes = FaceTrack(newest, view), []
    for area in (HD, (640, 360), (640, 360), HD):
        view.look(*area)
        newest.put(shown)
        frame = await track.recv()
        sizes.append((frame.width, frame.height) if isinstance(frame, VideoFrame) else "again")
    assert sizes == [HD, (640, 360), "again", HD]


async def test_what_nobody_sees_is_sent_once_a_second():
    newest, view = Newest(), View(seen=False)
    track = FaceTrack(newest, view)
    newest.put(picture(HD))
    assert await track.recv()
    newest.shown.clear()
    newest.put(picture(HD))
    waiting = asyncio.create_task(track.recv())
    await newest.shown.wait()
    assert not waiting.done()
    view.look(*HD)
    newest.put(picture(HD))
    assert await asyncio.wait_for(waiting, 5)


async def test_a_face_hears_whether_it_is_seen():
    face, pictures = PuppetVideoService(load_pack("mira"), (256, 144)), ToTrack(Newest())
    async with running(face, pictures) as stage:
        await pictures.look(0, 0)
        assert not (await stage.first(ViewFrame)).seen
        assert not face._rate.seen
        await pictures.look(300, 200)
        assert await stage.first(ViewFrame, lambda frame: frame.seen)
        assert face._rate.seen
        await pictures.look(600, 400)
        assert len(stage.all(ViewFrame)) == 2


def decoded(encoder: SteadyVp8Encoder, frame: VideoFrame) -> tuple[int, int]:
    """The size in which a browser gets a picture."""
    decoder = av.CodecContext.create("libvpx", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    payloads, _ = encoder.encode(frame)
    (got,) = decoder.decode(Packet(b"".join(map(vp8_depayload, payloads))))
    return got.width, got.height


def frame(size: tuple[int, int], number: int) -> VideoFrame:
    made = picture(size, 80 + number)
    planes = np.frombuffer(made.image, np.uint8).reshape(size[1] * 3 // 2, size[0])
    sent = frame_of(planes)
    sent.pts, sent.time_base = 3600 * number, Fraction(1, 90_000)
    return sent


@pytest.mark.parametrize(
    ("size", "narrow"),
    [
        (HD, (960, 540)),
        ((960, 270), (960, 270)),
        ((720, 1280), (540, 960)),
        ((1920, 1080), (960, 540)),
    ],
)
def test_a_narrow_link_carries_a_smaller_picture_not_a_coarse_one(size, narrow):
    encoder = SteadyVp8Encoder()
    assert decoded(encoder, frame(size, 0)) == size
    encoder.target_bitrate = 90_000
    assert decoded(encoder, frame(size, 1)) == narrow
    encoder.target_bitrate = 3_000_000
    assert decoded(encoder, frame(size, 2)) == size


def test_a_larger_picture_has_more_bits_and_a_smaller_one_no_fewer():
    for kind in (SteadyVp8Encoder, SteadyH264Encoder):
        for size, rate in (((1920, 1080), 2_000_000), (HD, FULL), ((320, 180), FULL)):
            encoder = kind()
            encoder.encode(frame(size, 0))
            assert encoder.target_bitrate == rate
