"""Connections that are there before they are needed."""

import asyncio
from abc import abstractmethod

from pipecat.processors.frame_processor import FrameProcessor, FrameProcessorSetup


class Warming(FrameProcessor):
    """A part that opens its connections when the conversation begins, not when it is first asked.

    A failure is no failure of the conversation: it is met again, and told, by the first question.
    """

    _warming: asyncio.Task[None] | None = None

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Begin to warm up; nothing waits for it."""
        await super().setup(setup)
        self._warming = self.create_task(self._warm(), "warm")

    async def cleanup(self) -> None:
        """Stop what is still warming up."""
        if self._warming:
            await self.cancel_task(self._warming)
            self._warming = None
        await super().cleanup()

    @abstractmethod
    async def _warm(self) -> None:
        """Do what the first question would otherwise wait for; swallow what can go wrong."""
