"""How far LiveAvatar has come in the voice it was given, told by what is heard of it in the room.

Its WebSocket tells when it speaks (liveavatar-protocol: 3.3), but not whether anybody hears it.
"""

import asyncio

import numpy as np
from pipecat.frames.frames import AudioRawFrame

from pipelines.guard.rules import DUE_S, SILENCE_S
from pipelines.media.follower import Follower, is_loud

# Who waits for a place is let go so near to it: places are sums of many lengths.
NEAR_S = 0.005


class Playout:
    """Follows one avatar. Positions are seconds of the voice given so far."""

    def __init__(self) -> None:
        self._follower = Follower()
        self.given_s = self.at_s = 0.0
        # What it cannot go back behind: what was interrupted, and what it has left out.
        self._cut_s = self._over_s = 0.0
        # For how long nothing was heard or given.
        self._quiet_s = 0.0
        self._stopped = False
        self._news = asyncio.Event()

    def give(self, voice: AudioRawFrame) -> None:
        """The face was given more voice: s16le mono of any rate."""
        self._follower.give(voice)
        self.given_s += voice.num_frames / voice.sample_rate
        self._quiet_s = 0.0

    def interrupt(self) -> None:
        """The avatar says no more of what it was given."""
        self._follower.interrupt()
        self.at_s = self._cut_s = self._over_s = self.given_s
        self._news.set()

    def hear(self, sound: AudioRawFrame) -> None:
        """Users hear this of the avatar: s16le mono of any rate."""
        at_s = self._follower.hear(sound)
        loud = is_loud(np.frombuffer(sound.audio, np.int16))
        self._quiet_s = 0.0 if loud else self._quiet_s + sound.num_frames / sound.sample_rate
        if self._quiet_s > SILENCE_S and self._follower.owed_s <= DUE_S:
            self._over_s = self.given_s
        self.at_s = max(self._over_s, at_s)
        self._news.set()

    def stop(self) -> None:
        """Nothing more is heard of the avatar; who waits is let go."""
        self._stopped = True
        self._news.set()

    async def reach(self, position_s: float) -> bool:
        """Wait until it has come so far; False if it never will, or was interrupted before."""
        while position_s - self.at_s > NEAR_S and not self._stopped:
            self._news.clear()
            await self._news.wait()
        return not self._stopped and position_s > self._cut_s + NEAR_S
