"""The picture before once more: decoders show it, and go on as if it had not been there."""

from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.vpx import vp8_depayload
from av import Packet, VideoFrame

from pipelines.media.again import AGAIN, again
from pipelines.media.encoder import SteadyH264Encoder, SteadyVp8Encoder
from pipelines.media.view import frame_of
from puppet import Player, load_pack

pytestmark = pytest.mark.patient

CLOCK = Fraction(1, 90_000)
STEP = 3600
SIZES = [(320, 180), (180, 320), (320, 270), (854, 480), (1280, 720)]


def packet(number: int) -> Packet:
    made = Packet(AGAIN)
    made.pts, made.time_base = number * STEP, CLOCK
    return made


def frame(image: np.ndarray, number: int) -> VideoFrame:
    made = frame_of(image)
    made.pts, made.time_base = number * STEP, CLOCK
    return made


def whole(payloads: list[bytes]) -> bytes:
    """The frame that packets of RTP carry."""
    return b"".join(map(vp8_depayload, payloads))


def decoder(name: str) -> av.VideoCodecContext:
    made = av.CodecContext.create(name, "r")
    assert isinstance(made, av.VideoCodecContext)
    made.thread_count = 1
    return made


@pytest.mark.parametrize("name", ["libvpx", "vp8"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_shown_again_and_what_follows_does_not_change(name, size):
    player, encoder = Player(load_pack("mira"), size, 5), SteadyVp8Encoder()
    plain, repeating = decoder(name), decoder(name)
    hum = (np.arange(24_000 * 2) % 190 * 50).astype("<i2")
    player.speak(hum.tobytes())
    for number in range(30):
        payloads, at = encoder.encode(frame(player.tick().image, 3 * number), number == 20)
        assert at == 3 * number * STEP
        shown = plain.decode(Packet(whole(payloads)))[0].to_ndarray()
        same = repeating.decode(Packet(whole(payloads)))[0].to_ndarray()
        assert np.array_equal(shown, same)
        for more in range(1, 1 + number % 3):
            payloads, at = encoder.pack(packet(3 * number + more))
            assert at == (3 * number + more) * STEP
            assert len(payloads) == 1
            (once_more,) = repeating.decode(Packet(whole(payloads)))
            assert np.array_equal(once_more.to_ndarray(), shown)


def test_it_is_small():
    assert all(20 < len(again(*size)) < 200 for size in SIZES)


def test_it_has_the_next_number_of_a_picture():
    """By which a browser knows that none is missing."""
    encoder, image = SteadyVp8Encoder(), np.full((270, 320), 90, np.uint8)
    encoder.picture_id = 100
    encoder.encode(frame(image, 0))
    encoder.pack(packet(1))
    encoder.pack(packet(2))
    assert encoder.picture_id == 103


def test_h264_sends_nothing_for_it():
    encoder, image = SteadyH264Encoder(), np.full((270, 320), 90, np.uint8)
    assert encoder.encode(frame(image, 0))[0]
    assert encoder.pack(packet(1))[0] == []


def test_nothing_is_sent_again_before_there_was_anything():
    assert SteadyVp8Encoder().pack(packet(0))[0] == []
