"""aiortc's encoder, as it is and as we have it, while a viewer's estimate of the rate moves."""

from fractions import Fraction

import av
import numpy as np
from aiortc import codecs
from aiortc.codecs.vpx import MAX_BITRATE, Vp8Encoder, VpxPayloadDescriptor
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from pipelines.media import encoder
from pipelines.media.encoder import SteadyVp8Encoder

PICTURES = 40
# What Chromium does to its estimate, about once a second.
GROWTH = 1.08


def encoded(vp8: Vp8Encoder, place: int) -> bytes:
    """The picture number `place`, without what RTP adds."""
    picture = np.full((180, 320, 3), 40 + place, np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = place, Fraction(1, 25)
    payloads, _ = vp8.encode(frame)
    return b"".join(VpxPayloadDescriptor.parse(payload)[1] for payload in payloads)


def key_frames(vp8: Vp8Encoder, growth: float) -> int:
    """How many of the pictures are key frames (RFC 6386, 9.1) while the estimate grows."""
    found = 0
    estimate = float(vp8.target_bitrate)
    for place in range(PICTURES):
        found += not encoded(vp8, place)[0] & 1
        estimate *= growth
        vp8.target_bitrate = int(min(estimate, MAX_BITRATE))
    return found


def test_an_estimate_that_grows_brings_no_key_frames():
    assert key_frames(Vp8Encoder(), GROWTH) > 6, "aiortc begins anew at each step: see encoder.py"
    assert key_frames(SteadyVp8Encoder(), GROWTH) == 1


def test_an_estimate_that_wavers_changes_nothing():
    steady = SteadyVp8Encoder()
    for share in (0.85, 1.0, 1.3, 0.75):
        steady.target_bitrate = int(share * encoder.FULL)
    assert steady.target_bitrate == encoder.FULL


def test_a_link_that_narrows_is_followed_at_once_and_one_that_widens_in_steps():
    steady = SteadyVp8Encoder()
    rates = []
    for bitrate in (300_000, 400_000, 500_000, 600_000, 900_000, 2_000_000):
        steady.target_bitrate = bitrate
        rates.append(steady.target_bitrate)
    assert rates == [300_000, 300_000, 500_000, 500_000, 900_000, 900_000]


def test_connections_use_it():
    encoder.install()
    vp8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=96)
    assert isinstance(codecs.get_encoder(vp8), SteadyVp8Encoder)
