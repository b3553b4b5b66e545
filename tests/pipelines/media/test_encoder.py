"""aiortc's encoders, as they are and as we have them, while the viewer's estimate moves."""

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription, codecs
from aiortc.codecs import get_capabilities
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import MAX_BITRATE, Vp8Encoder, VpxPayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from pipelines.media import encoder
from pipelines.media.encoder import SteadyH264Encoder, SteadyVp8Encoder, vp8_first

PICTURES = 40
SMALL = (320, 180)
# What Chromium does to its estimate, about once a second.
GROWTH = 1.08
# ITU-T H.264, 7.4.1: what a unit of the stream is.
KEY_PICTURE, PARAMETERS = 5, 7
STEADY = [SteadyVp8Encoder, SteadyH264Encoder]


def frame(place: int, size: tuple[int, int] = SMALL) -> av.VideoFrame:
    """The picture number `place`, which differs from all others."""
    picture = np.full((size[1], size[0], 3), 40 + place % 200, np.uint8)
    made = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    made.pts, made.time_base = place * 3600, Fraction(1, 90_000)
    return made


def units(h264: H264Encoder, place: int, size: tuple[int, int] = SMALL) -> dict[int, bytes]:
    """The units of an encoded picture, by their kind."""
    return {unit[0] & 0x1F: unit for unit in h264._encode_frame(frame(place, size), False)}


def is_key(encoder: Vp8Encoder | H264Encoder, place: int) -> bool:
    """Whether the picture number `place` needs none before it (RFC 6386, 9.1)."""
    if isinstance(encoder, H264Encoder):
        return KEY_PICTURE in units(encoder, place)
    payloads, _ = encoder.encode(frame(place))
    return not b"".join(VpxPayloadDescriptor.parse(payload)[1] for payload in payloads)[0] & 1


def key_frames(encoder: Vp8Encoder | H264Encoder, growth: float, pictures: int = PICTURES) -> int:
    """How many of the pictures are key frames while the estimate grows."""
    found = 0
    estimate = float(encoder.target_bitrate)
    for place in range(pictures):
        found += is_key(encoder, place)
        estimate *= growth
        encoder.target_bitrate = int(min(estimate, MAX_BITRATE))
    return found


@pytest.mark.parametrize(
    ("theirs", "ours"), [(Vp8Encoder, SteadyVp8Encoder), (H264Encoder, SteadyH264Encoder)]
)
def test_an_estimate_that_grows_brings_no_key_frames(theirs, ours):
    assert key_frames(theirs(), GROWTH) > 4, "aiortc begins anew at each step: see encoder.py"
    assert key_frames(ours(), GROWTH) == 1


@pytest.mark.parametrize("kind", STEADY)
def test_a_picture_goes_through_a_network_of_1280_bytes(kind):
    """IPv6's header takes 40 of them, UDP's 8, SRTP's 38 at most, and TURN's 36."""
    encoder.install()
    noise = np.random.default_rng(1).integers(0, 255, (180, 320, 3), np.uint8)
    picture = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
    picture.pts, picture.time_base = 0, Fraction(1, 90_000)
    payloads, _ = kind().encode(picture)
    assert len(payloads) > 3
    assert max(map(len, payloads)) + 40 + 8 + 38 + 36 <= 1280


def test_h264_goes_on_with_a_rate_that_is_not_round():
    h264 = SteadyH264Encoder()
    h264.target_bitrate = 600_123
    assert [is_key(h264, place) for place in range(3)] == [True, False, False]


def test_h264_brings_no_key_frame_that_nobody_asks_for():
    assert key_frames(SteadyH264Encoder(), 1.0, 300) == 1


def test_h264_brings_the_key_frame_that_a_viewer_asks_for():
    h264 = SteadyH264Encoder()
    assert KEY_PICTURE in units(h264, 0)
    asked = {unit[0] & 0x1F for unit in h264._encode_frame(frame(1), True)}
    assert KEY_PICTURE in asked


@pytest.mark.parametrize(
    ("size", "most"), [((640, 360), 31), ((1280, 720), 31), ((1920, 1080), 40)]
)
def test_h264_tells_the_level_that_its_size_needs(size, most):
    parameters = units(SteadyH264Encoder(), 0, size)[PARAMETERS]
    assert parameters[1] == 66, "the profile is Baseline, which every browser has"
    assert parameters[3] <= most
    assert parameters[3] == most or size[0] < 1280


@pytest.mark.parametrize("kind", STEADY)
def test_an_estimate_that_wavers_changes_nothing(kind):
    steady, keys = kind(), []
    for place, share in enumerate((0.996, 0.85, 1.0, 1.3, 0.75)):
        keys.append(is_key(steady, place))
        steady.target_bitrate = int(share * encoder.FULL)
    assert steady.target_bitrate == encoder.FULL
    assert [*keys, is_key(steady, len(keys))] == [True, False, False, False, False, False]


@pytest.mark.parametrize("kind", STEADY)
def test_a_link_that_narrows_is_followed_at_once_and_one_that_widens_in_steps(kind):
    steady = kind()
    rates = []
    for bitrate in (300_000, 400_000, 500_000, 600_000, 900_000, 2_000_000):
        steady.target_bitrate = bitrate
        rates.append(steady.target_bitrate)
    assert rates == [300_000, 300_000, 500_000, 500_000, 900_000, 900_000]


@pytest.mark.parametrize(
    ("mime", "kind"), [("video/VP8", SteadyVp8Encoder), ("video/H264", SteadyH264Encoder)]
)
def test_connections_use_it(mime, kind):
    encoder.install()
    wanted = RTCRtpCodecParameters(mimeType=mime, clockRate=90_000, payloadType=96)
    assert isinstance(codecs.get_encoder(wanted), kind)


async def answered(prefers: str, only: bool = False) -> list[str]:
    """The codecs of the answer to somebody who lists one first, as Safari does with H.264."""
    async with asyncio.timeout(20):
        caller, called = RTCPeerConnection(), RTCPeerConnection()
        try:
            known = get_capabilities("video").codecs
            first = [codec for codec in known if codec.name == prefers]
            others = [] if only else [codec for codec in known if codec.name != prefers]
            transceiver = caller.addTransceiver("video", direction="recvonly")
            transceiver.setCodecPreferences(first + others)
            caller.addTransceiver("audio")
            await caller.setLocalDescription(await caller.createOffer())
            offer = vp8_first(caller.localDescription.sdp)
            await called.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await called.setLocalDescription(await called.createAnswer())
            sdp = called.localDescription.sdp.split("m=audio")[0]
            return [line.split()[1] for line in sdp.splitlines() if line.startswith("a=rtpmap")]
        finally:
            await caller.close()
            await called.close()


async def test_vp8_is_answered_to_who_lists_h264_first_and_h264_to_who_has_nothing_else():
    assert (await answered("H264"))[0] == "VP8/90000"
    assert (await answered("VP8"))[0] == "VP8/90000"
    assert set(await answered("H264", only=True)) == {"H264/90000"}


def test_an_offer_without_video_or_vp8_stays_as_it_is():
    audio = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
    h264 = "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=rtpmap:98 H264/90000\r\na=mid:1\r\n"
    assert vp8_first(audio + h264) == audio + h264
