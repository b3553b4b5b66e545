"""A session of LiveAvatar whose avatar joins a room in which this process is already."""

import asyncio
from typing import Any

from pipecat.services.heygen.api_liveavatar import LiveAvatarApiError

from pipelines.heygen import LiteClient

from .avatars import Avatars, Pass
from .playout import Playout


class DirectClient(LiteClient):
    """A session of which this process has the WebSocket alone.

    Attributes:
        late: whether its avatar could be in the room by now, and is not.
    """

    def __init__(
        self, *arguments: Any, avatars: Avatars, invited: Pass, playout: Playout, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._avatars = avatars
        self._identity = invited.identity
        self._playout = playout
        self._came = False
        self.late = False

    @property
    def in_room(self) -> bool:
        """Whether the room is there, and the avatar, once it has come."""
        shows = self._avatars.shows(self._identity)
        self._came = self._came or shows
        return self._avatars.reachable and (shows or not self._came)

    @property
    def kept_out(self) -> bool:
        """Whether LiveAvatar may have failed to join the room."""
        refused = isinstance(self.failure, LiveAvatarApiError) and self.failure.status >= 500
        return not self._came and (refused or self.late)

    async def _livekit_connect(self) -> None:
        """The avatar joins; this process is there, or about to be."""
        await self._avatars.opened()

    async def _livekit_disconnect(self) -> None:
        """This process stays."""

    async def _teardown(self) -> None:
        """Have the avatar fall silent and leave, before anything that may take time."""
        self._playout.stop()
        leaving = None
        if self._heyGen_session:
            leaving = asyncio.create_task(self._avatars.show_out(self._identity))
        try:
            await super()._teardown()
        finally:
            if leaving:
                await asyncio.shield(leaving)
