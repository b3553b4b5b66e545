"""The clocks of what is received: when it came, and when its sender says that it belongs."""

import time
from typing import Any

import numpy as np
from aiortc import RTCRtpReceiver
from aiortc.rtp import RtcpSrPacket, RtpPacket

from bots.eval.curve import Curve

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

    @property
    def tells(self) -> bool:
        """Whether the sender has told of its clock."""
        return len(self._reported) > 0

    def came(self, own_s: np.ndarray) -> np.ndarray:
        """When each was there, with its last packet, in monotonic seconds; `own_s` is (number,)."""
        last: dict[int, float] = {}
        for own, came_s in self._arrived:
            last[round(own * self._rate)] = came_s
        if not last:
            return np.zeros(len(own_s))
        owns = np.array(sorted(last))
        came = np.array([last[own] for own in owns])
        at = np.searchsorted(owns, np.round(own_s * self._rate), side="right") - 1
        first = at.clip(0)
        return came[first] + own_s - owns[first] / self._rate

    def day(self, own_s: np.ndarray) -> np.ndarray:
        """When each belongs by the sender's time of day, by which browsers play them."""
        at_s, day_s = np.array(self._reported).T
        return own_s + np.median(day_s - at_s)

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
