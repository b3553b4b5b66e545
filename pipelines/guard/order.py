"""Several parts of one kind in an order: who is at work, and who is well again."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from loguru import logger
from pipecat.frames.frames import ErrorFrame, Frame
from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategy
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

# Who failed is tried again after the first of these, and each time after twice as long, at most
# after the second, in seconds.
FIRST_TRIAL_S, RAREST_TRIAL_S = 1.0, 60.0
# How long who is waited for is tried, and how often.
MENDING_S, MENDS_EVERY_S = 2.0, 0.3


@runtime_checkable
class Curable(Protocol):
    """A part that can find out whether it works again."""

    async def is_well(self) -> bool:
        """Try what costs nothing; connect anew where that is part of it."""
        ...


class InOrder(ServiceSwitcherStrategy):
    """The first that is well is at work; who failed is tried in the background until it is well.

    A failure is told by `fail()`, which every guard calls for errors and for what takes too long,
    so that an error itself changes nothing.
    """

    def __init__(self, services: list[FrameProcessor]) -> None:
        super().__init__(services)
        self._waits_s: dict[FrameProcessor, float] = {}
        self._cures: dict[FrameProcessor, asyncio.Task[None]] = {}
        self._on_trial: set[FrameProcessor] = set()
        # Whether who is at work is at something just now, which a trial would cut off.
        self.busy: Callable[[], bool] = lambda: False

    async def handle_error(self, error: ErrorFrame) -> FrameProcessor | None:
        """The guards have heard of it: it goes no further."""
        return self.active_service

    def is_ill(self, service: FrameProcessor) -> bool:
        """Whether a part has failed and was not found to be well since."""
        return service in self._cures or not service.is_usable

    def has_failed_lately(self, service: FrameProcessor) -> bool:
        """Whether a part has done nothing well since it failed."""
        return service in self._waits_s

    def best(self) -> FrameProcessor:
        """The first that is well; without any the first that can be asked, else who is at work."""
        well = (service for service in self.services if not self.is_ill(service))
        usable = (service for service in self.services if service.is_usable)
        return next(well, None) or next(usable, self.active_service)

    async def fail(self, service: FrameProcessor) -> FrameProcessor | None:
        """A part has failed; who takes its place from now on, None for nobody."""
        if service not in self._cures:
            self._cures[service] = self._task(self._cure(service))
        successor = self.spare(service)
        if successor and successor is not self.active_service:
            await self._set_active_if_available(successor)
        return successor

    def spare(self, service: FrameProcessor) -> FrameProcessor | None:
        """Who would take the place of a part, None for nobody."""
        well = (each for each in self.services if each is not service and not self.is_ill(each))
        return next(well, None)

    def prove(self, service: FrameProcessor) -> None:
        """A part has done what it is for, so it needs no cure."""
        if service in self._on_trial or not service.is_usable:
            return
        self._waits_s.pop(service, None)
        if cure := self._cures.pop(service, None):
            cure.cancel()

    async def mend(self, service: FrameProcessor) -> bool:
        """Try at once, for a while, a part whose place nobody takes; whether it is well."""
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + MENDING_S
        while not (well := await self._is_well(service)):
            if not service.is_usable or now_s() > until_s:
                return False
            await asyncio.sleep(MENDS_EVERY_S)
        if cure := self._cures.pop(service, None):
            cure.cancel()
        await service.set_usable(True)
        return well

    async def return_to_best(self) -> None:
        """Let the first that is well be at work, now that nothing is under way."""
        best = self.best()
        if best is not self.active_service:
            logger.info(f"{best} is at work again")
            await self._set_active_if_available(best)

    async def close(self) -> None:
        """Try nothing any more."""
        cures = list(self._cures.values())
        for cure in cures:
            cure.cancel()
        await asyncio.gather(*cures, return_exceptions=True)

    def _task(self, work: Any) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    async def _cure(self, service: FrameProcessor) -> None:
        well = False
        while not well:
            wait_s = self._waits_s.get(service, FIRST_TRIAL_S)
            self._waits_s[service] = min(2 * wait_s, RAREST_TRIAL_S)
            await asyncio.sleep(wait_s)
            while service is self.active_service and self.busy():  # noqa: ASYNC110
                await asyncio.sleep(FIRST_TRIAL_S)
            well = await self._is_well(service)
        self._cures.pop(service, None)
        await service.set_usable(True)

    async def _is_well(self, service: FrameProcessor) -> bool:
        """Whether a part works, as far as it can tell; one that fails at that does not."""
        if not isinstance(service, Curable):
            return True
        self._on_trial.add(service)
        try:
            [well] = await asyncio.gather(service.is_well(), return_exceptions=True)
        finally:
            self._on_trial.discard(service)
        if isinstance(well, BaseException):
            logger.opt(exception=well).warning(f"{service} could not be tried")
        return well is True


class Chain(ServiceSwitcher[InOrder]):
    """Parts of one kind, of which one is at work; it may change when something new begins."""

    def __init__(self, services: list[Any]) -> None:
        super().__init__(services, InOrder)

    def begins(self, frame: Frame) -> bool:
        """Whether a frame begins something, so that nothing is under way."""
        return False

    def relieve(self, before: FrameProcessor, now: FrameProcessor) -> None:
        """Another one is at work now; the two may have something to tell each other."""

    def note(self, frame: Frame, direction: FrameDirection) -> None:
        """Know what who is at work is given."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Hand a frame to who is at work."""
        if self.begins(frame):
            before = self.strategy.active_service
            await self.strategy.return_to_best()
            if self.strategy.active_service is not before:
                self.relieve(before, self.strategy.active_service)
        self.note(frame, direction)
        await super().process_frame(frame, direction)

    async def cleanup(self) -> None:
        """Try nothing any more."""
        await self.strategy.close()
        await super().cleanup()
