"""Sound as it is sent, as somebody hears it who decodes it."""

from fractions import Fraction

import numpy as np
import pytest
from aiortc import codecs
from aiortc.codecs.opus import OpusDecoder, OpusEncoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av import AudioFrame, Packet

from pipelines.media import opus
from pipelines.media.opus import UNTIL_SILENT, PackingOpus

RATE = 24_000
PIECE = RATE // 50
HEARD_RATE = 48_000


def voice(seconds: float, rate: int = RATE) -> np.ndarray:
    """Something like a vowel, s16."""
    at_s = np.arange(round(seconds * rate)) / rate
    pitch = 2 * np.pi * 140 * at_s + 2 * np.sin(2 * np.pi * 3 * at_s)
    tones = [np.sin(k * pitch) / k for k in range(1, 12)]
    return (4000 * np.sum(tones, axis=0)).astype(np.int16)


def packets(samples: np.ndarray, rate: int = RATE) -> list[Packet]:
    """Sound as a track gives it."""
    made = []
    for number, piece in enumerate(samples.reshape(-1, rate // 50)):
        packet = Packet(piece.tobytes())
        packet.pts, packet.time_base = number * rate // 50, Fraction(1, rate)
        made.append(packet)
    return made


def sent(samples: np.ndarray, rate: int = RATE) -> list[bytes]:
    """The packets of RTP of some sound."""
    encoder = PackingOpus()
    packed = [encoder.pack(packet) for packet in packets(samples, rate)]
    assert [at for _, at in packed] == [960 * number for number in range(len(packed))]
    assert all(len(payloads) == 1 for payloads, _ in packed)
    return [payloads[0] for payloads, _ in packed]


def heard(payloads: list[bytes]) -> np.ndarray:
    """What a browser's decoder makes of them: 48 kHz, the left of two channels that are alike."""
    decoder, pieces = OpusDecoder(), []
    for number, data in enumerate(payloads):
        (frame,) = decoder.decode(JitterFrame(data=data, timestamp=number * 960))
        assert isinstance(frame, AudioFrame)
        pieces.append(frame.to_ndarray()[0, ::2])
    return np.concatenate(pieces)


def level_db(sound: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(sound, dtype=float))) / 32768 + 1e-6))


def spectrum_db(sound: np.ndarray) -> np.ndarray:
    """Levels of a sound of 48 kHz up to 4 kHz, in steps of 50 Hz."""
    size = HEARD_RATE // 50
    parts = sound[: len(sound) // size * size].reshape(-1, size) * np.hanning(size)
    power = np.mean(np.abs(np.fft.rfft(parts)[:, :80]) ** 2, axis=0)
    return 10 * np.log10(power + 1)


@pytest.mark.parametrize("rate", [16_000, 24_000, 48_000])
def test_a_voice_is_heard_as_it_was(rate):
    said = voice(1.0, rate)
    told = heard(sent(said, rate))
    assert len(told) == HEARD_RATE
    whole = voice(1.0, HEARD_RATE)
    assert np.abs(spectrum_db(told) - spectrum_db(whole))[spectrum_db(whole) > 96].max() < 2
    assert level_db(told) == pytest.approx(level_db(whole), abs=1)


def test_silence_is_encoded_only_until_the_voice_has_died_away():
    silence = np.zeros(50 * PIECE, np.int16)
    payloads = sent(np.concatenate([voice(0.5), silence]))
    assert len(set(payloads[25:])) > 1
    assert set(payloads[25 + UNTIL_SILENT :]) == {payloads[-1]} and len(payloads[-1]) < 10
    assert level_db(heard(payloads)[-HEARD_RATE // 2 :]) < -90


def test_a_voice_after_silence_begins_as_clean_as_the_first_one():
    """The decoder has heard the same packet for two seconds, of which the encoder knows nothing."""
    silence = np.zeros(100 * PIECE, np.int16)
    said = np.concatenate([voice(0.5), silence, voice(0.5)])
    short = np.concatenate([voice(0.5), silence[: UNTIL_SILENT * PIECE], voice(0.5)])
    again, first = heard(sent(said))[-HEARD_RATE // 2 :], heard(sent(short))[-HEARD_RATE // 2 :]
    assert level_db(again.astype(int) - first) < level_db(first) - 30


def test_a_voice_of_another_rate_is_heard_as_loud_as_it_was():
    encoder = PackingOpus()
    packed = [encoder.pack(packet) for packet in packets(voice(1.0, 22_050), 22_050)]
    told = heard([payload for payloads, _ in packed for payload in payloads])
    assert level_db(told) == pytest.approx(level_db(voice(1.0, HEARD_RATE)), abs=1)


@pytest.fixture
def installed(monkeypatch):
    """What `install` puts in place, until a test is over."""
    for name in ("OpusDecoder", "OpusEncoder", "G722Encoder", "PcmaEncoder", "PcmuEncoder"):
        monkeypatch.setattr(codecs, name, getattr(codecs, name))
    opus.install()


@pytest.mark.usefixtures("installed")
def test_a_microphone_of_two_channels_is_heard_as_one_and_as_loud():
    codec = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48_000, channels=2)
    decoder, said = codecs.get_decoder(codec), voice(1.0, HEARD_RATE)
    browser, pieces = OpusEncoder(), []
    for number, piece in enumerate(said.reshape(-1, HEARD_RATE // 50)):
        frame = AudioFrame.from_ndarray(np.repeat(piece, 2)[None, :], layout="stereo")
        frame.sample_rate, frame.pts = HEARD_RATE, number * 960
        frame.time_base = Fraction(1, HEARD_RATE)
        for data in browser.encode(frame)[0]:
            (heard_frame,) = decoder.decode(JitterFrame(data=data, timestamp=number * 960))
            assert isinstance(heard_frame, AudioFrame)
            assert heard_frame.layout.name == "mono"
            pieces.append(heard_frame.to_ndarray()[0])
    assert level_db(np.concatenate(pieces)) == pytest.approx(level_db(said), abs=1)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("kind", ["G722/8000", "PCMA/8000", "PCMU/8000", "opus/48000/2"])
def test_every_kind_of_sound_that_aiortc_offers_takes_such_packets(kind):
    name, clock, *_ = kind.split("/")
    codec = RTCRtpCodecParameters(mimeType=f"audio/{name}", clockRate=int(clock))
    encoder = codecs.get_encoder(codec)
    packed = [encoder.pack(packet)[0] for packet in packets(voice(0.5))]
    assert sum(map(len, packed)) >= 24
    assert len({payload for payloads in packed for payload in payloads}) > 20
