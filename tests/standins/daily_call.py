"""Daily's call client as Pipecat drives it, in a room that a test speaks for."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from pipecat.transports.daily.transport import DailyTransport

Done = Callable[..., None]


class DailyCall:
    """Takes the place of `daily.CallClient`, which finds no room without Daily's servers."""

    def __init__(self, transport: DailyTransport) -> None:
        self._handler = transport._client
        self._handler._client = cast(Any, self)
        self.joined = asyncio.Event()
        self.sent: asyncio.Queue[Any] = asyncio.Queue()

    async def end(self) -> None:
        """Daily ends the call: the bot is ejected, or the time of the room is up."""
        await asyncio.to_thread(self._handler.on_call_state_updated, "left")

    def join(self, url: str, token: str, *, completion: Done, client_settings: Any) -> None:
        """Let the bot in."""
        self.joined.set()
        completion({"participants": {"local": {"id": "bot"}}}, None)

    def leave(self, *, completion: Done) -> None:
        """Let the bot go."""
        completion(None)

    def send_app_message(self, message: Any, participant: str | None, *, completion: Done) -> None:
        """Keep what everybody in the room is told."""
        self.sent.put_nowait(message)
        completion(None)

    def participants(self) -> dict[str, Any]:
        """Who is there."""
        return {"local": {}}

    def update_subscription_profiles(self, profiles: Any) -> None:
        """Take no notice."""

    def set_user_name(self, name: str) -> None:
        """Take no notice."""

    def release(self) -> None:
        """Take no notice."""
