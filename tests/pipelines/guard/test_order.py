"""Parts in an order: who is at work, and when who failed is tried again."""

import asyncio

from pipecat.processors.frame_processor import FrameProcessor

from pipelines.guard.order import InOrder
from tests.pipelines.turns.clock import RoomLoop, room_loop


class Sick(FrameProcessor):
    """A part that is well again when it has been tried so often."""

    def __init__(self, trials: int) -> None:
        super().__init__()
        self.tried_at_s: list[float] = []
        self._trials = trials

    async def is_well(self) -> bool:
        self.tried_at_s.append(room_loop().time())
        return len(self.tried_at_s) >= self._trials


async def pass_s(seconds: float) -> None:
    """Let time pass."""
    await room_loop().settle()
    for _ in range(round(seconds / 0.25)):
        room_loop().now_s += 0.25
        await room_loop().settle()


def in_room(test):
    """Run a test in a loop whose time is moved on by hand."""

    def run() -> None:
        with asyncio.Runner(loop_factory=RoomLoop) as runner:
            runner.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_room
async def test_who_failed_is_tried_after_1_2_and_4_s_and_is_back_when_well():
    first, second = Sick(trials=3), FrameProcessor()
    order, began_s = InOrder([first, second]), room_loop().time()
    assert await order.fail(first) is second is order.active_service
    await pass_s(6.5)
    await order.return_to_best()
    assert order.active_service is second
    await pass_s(1)
    assert [at_s - began_s for at_s in first.tried_at_s] == [1, 3, 7]
    await order.return_to_best()
    assert order.active_service is first
    assert order.has_failed_lately(first), "it has done nothing since"
    order.prove(first)
    assert not order.has_failed_lately(first)


@in_room
async def test_who_fails_again_is_tried_later_and_the_next_in_order_is_at_work():
    first, second, third = Sick(trials=1), FrameProcessor(), FrameProcessor()
    order = InOrder([first, second, third])
    assert await order.fail(first) is second
    assert await order.fail(second) is third
    await pass_s(1)
    assert await order.fail(first) is second, "who can say nothing of itself is well after a while"
    await pass_s(1.5)
    assert len(first.tried_at_s) == 1
    await pass_s(0.5)
    assert len(first.tried_at_s) == 2
    await order.close()


@in_room
async def test_when_all_have_failed_nobody_takes_the_place():
    only = Sick(trials=9)
    order = InOrder([only])
    assert await order.fail(only) is None
    assert order.best() is only
    await order.close()


@in_room
async def test_who_works_again_is_left_alone():
    only = Sick(trials=1)
    order = InOrder([only])
    await order.fail(only)
    order.prove(only)
    await pass_s(2)
    assert not order.is_ill(only) and not order.has_failed_lately(only)
    assert not only.tried_at_s


@in_room
async def test_who_is_at_something_is_tried_when_it_is_over():
    only = Sick(trials=1)
    order, busy = InOrder([only]), True
    order.busy = lambda: busy
    await order.fail(only)
    await pass_s(5)
    assert not only.tried_at_s
    busy = False
    await pass_s(1)
    assert only.tried_at_s and not order.is_ill(only)


@in_room
async def test_a_trial_that_breaks_down_is_made_again():
    class Broken(Sick):
        async def is_well(self) -> bool:
            if not await super().is_well():
                raise AssertionError("it is closed")
            return True

    first, second = Broken(trials=2), FrameProcessor()
    order = InOrder([first, second])
    await order.fail(first)
    await pass_s(2)
    assert order.is_ill(first)
    await pass_s(1.5)
    assert not order.is_ill(first)


@in_room
async def test_a_part_without_a_spare_is_tried_at_once_where_it_can_be():
    only = Sick(trials=1)
    order = InOrder([only])
    assert await order.fail(only) is None
    await order.mend(only)
    assert only.tried_at_s and not order.is_ill(only)
