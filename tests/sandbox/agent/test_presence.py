"""Whoever holds a session's conversation does not go on without a part that broke off."""

import asyncio
import json
import time
import uuid
from types import SimpleNamespace
from typing import Any, cast

import pytest

from liveavatar.orders import Order
from liveavatar.wire import EndReason, FullRequest
from pipelines.settings import load_settings
from sandbox.account import Account
from sandbox.agent.presence import Presence
from sandbox.faults import Faults
from tests.sandbox.caller import WAYNE


class Clumsy(Presence):
    """Stumbles over every command."""

    async def build(self) -> None:
        """Be ready."""

    async def run(self) -> None:
        """Obey."""
        self._running.set()
        self._spawn(self._obey())

    async def _hear(self, pcm: bytes) -> None: ...

    async def _do(self, order: Order) -> None:
        raise ZeroDivisionError(order.text)

    async def _conclude(self) -> None: ...


async def test_a_part_that_breaks_off_ends_the_session_and_both_logs_say_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = Account(time.time)
    session = account.open(FullRequest(mode="FULL", avatar_id=uuid.UUID(WAYNE)))
    performance = cast(Any, SimpleNamespace(session=session, still=False, room=None))
    ended: asyncio.Queue[EndReason] = asyncio.Queue()
    presence = Clumsy(performance, account, Faults(), load_settings(), ended.put_nowait)
    await presence.run()
    command = {"event_type": "avatar.speak_text", "text": "all of it"}
    presence._receive(json.dumps(command).encode())
    assert await asyncio.wait_for(ended.get(), 5) == EndReason.SERVER_ERROR
    await presence.gone()
    [problem] = [each["message"]["problem"] for each in session.log if each["way"] == "failed"]
    assert "broke off" in problem and "all of it" in problem
    assert "all of it" in caplog.text and session.id in caplog.text
