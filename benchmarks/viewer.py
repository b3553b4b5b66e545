"""A visitor who notes how far the mouth is open and how loud the voice is, by their own clocks."""

import time
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.rtp import RtcpSrPacket, RtpPacket
from av import AudioFrame, VideoFrame

from tests.talk.lipsync import Curve, loudness
from tests.talk.mouth import Gauge
from tests.talk.visitor import LOUD, Visitor, own_s

CLOCKS_HZ = {"audio": 48_000, "video": 90_000}
WRAP = 1 << 32
# NTP counts from 1900, other clocks from 1970.
NTP_S = 2_208_988_800


class Stream:
    """What came of a stream, by its own clock: seconds since its first packet.

    Each sender reports once a second what its clock showed at which time of day.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._first: int | None = None
        self._source = 0
        # Rows of (own time, time of arrival), and of (own time, the sender's time of day).
        self._arrived: list[tuple[float, float]] = []
        self._reported: list[tuple[float, float]] = []
        self._noticed: list[Curve] = []

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Look at each packet before the receiver does."""
        take, take_report = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def packet_came(packet: RtpPacket, arrival_time_ms: int) -> None:
            self._note(packet)
            await take(packet, arrival_time_ms)

        async def report_came(packet: Any) -> None:
            told = packet.sender_info if isinstance(packet, RtcpSrPacket) else None
            if told and told.packet_count and packet.ssrc == self._source:
                own_s = self._own_s(told.rtp_timestamp)
                self._reported.append((own_s, told.ntp_timestamp / WRAP - NTP_S))
            await take_report(packet)

        receiver._handle_rtp_packet = packet_came  # type: ignore[method-assign]
        receiver._handle_rtcp_packet = report_came  # type: ignore[method-assign]

    def _note(self, packet: RtpPacket) -> None:
        if self._first is None:
            self._first, self._source = packet.timestamp, packet.ssrc
        if packet.ssrc == self._source:  # the others are sent again
            self._arrived.append((self._own_s(packet.timestamp), time.monotonic()))

    def _own_s(self, timestamp: int) -> float:
        return ((timestamp - (self._first or 0)) % WRAP) / self._rate

    def notice(self, curve: Curve) -> None:
        """Something was decoded."""
        self._noticed.append(curve)

    def own(self, start_s: float, end_s: float) -> Curve:
        """What was sent between two moments of the sender's day, by the stream's own clock."""
        own_s, day_s = np.array(self._reported).T
        begin, end = np.interp([start_s, end_s], day_s, own_s)
        at_s = np.concatenate([curve.at_s for curve in self._noticed])
        much = np.concatenate([curve.much for curve in self._noticed])
        return Curve(at_s, much).between(begin, end)

    def arrived(self, start_s: float, end_s: float) -> Curve:
        """The same by the time of arrival, less what single packets were late."""
        own = self.own(start_s, end_s)
        if not len(own.at_s):
            return own
        rows = np.array(self._arrived)
        then = rows[(rows[:, 0] >= own.at_s[0]) & (rows[:, 0] <= own.at_s[-1])]
        return Curve(own.at_s + np.median(then[:, 1] - then[:, 0]), own.much)

    def played(self, start_s: float, end_s: float) -> Curve:
        """The same by the sender's time of day, by which browsers play sound and pictures."""
        own, (at_s, day_s) = self.own(start_s, end_s), np.array(self._reported).T
        return Curve(np.interp(own.at_s, at_s, day_s), own.much)

    def rate(self, start_s: float, end_s: float) -> float:
        """Pictures, or pieces of sound, a second."""
        return len(self.own(start_s, end_s).at_s) / (end_s - start_s)


class Viewer(Visitor):
    """Stays for long: keeps a number for each picture and for each 10 ms of sound."""

    def __init__(self, url: str, mouths: Gauge) -> None:
        super().__init__(url)
        self._mouths = mouths
        self.sound, self.picture = (Stream(rate) for rate in CLOCKS_HZ.values())
        self.began_s = self.last_loud_s = 0.0
        """When the voice began by its own clock, and when it was last heard."""

    def _track(self, track: MediaStreamTrack) -> None:
        stream = self.sound if track.kind == "audio" else self.picture
        (receiver,) = (r for r in self._peer.getReceivers() if r.track is track)
        stream.attach(receiver)
        super()._track(track)

    def _hear(self, frame: AudioFrame) -> None:
        left = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
        heard = loudness(left, frame.sample_rate)
        self.sound.notice(Curve(heard.at_s + own_s(frame), heard.much))
        if np.abs(left).max() > LOUD:
            self.began_s = self.began_s or own_s(frame)
            self.last_loud_s = time.time()

    def _see(self, frame: VideoFrame) -> None:
        openness = self._mouths.openness(_luma(frame))
        self.picture.notice(Curve(np.array([own_s(frame)]), np.array([openness])))


def _luma(frame: VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]
