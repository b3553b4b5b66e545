"""The clocks of what is received: when it came, and when its sender says that it belongs."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.rtp import RtcpSrPacket, RtpPacket

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

    def attach(
        self,
        peer: RTCPeerConnection,
        track: MediaStreamTrack,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Look at each packet of a track before its receiver does, as long as it is wanted."""
        (receiver,) = (r for r in peer.getReceivers() if r.track is track)
        take, take_report = receiver._handle_rtp_packet, receiver._handle_rtcp_packet

        async def packet_came(packet: RtpPacket, arrival_time_ms: int) -> None:
            if wanted():
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
        return own_s + np.interp(own_s, at_s, day_s - at_s)
