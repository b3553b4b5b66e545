"""The bot: one conversation for whoever is connected to it.

`bot(runner_args)` is what Pipecat Cloud and Pipecat's runner call; run this file or `avatar` to
start the server.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipecat.runner.types import (
    DailyRunnerArguments,
    LiveKitRunnerArguments,
    RunnerArguments,
    SmallWebRTCRunnerArguments,
    WebSocketRunnerArguments,
)
from pipecat.workers.runner import WorkerRunner

from bots.memory import give_back
from bots.running import RUNNING
from bots.server.casting import Casting
from bots.server.telling import telling
from pipelines.conversation import Conversation, Request, open_conversation
from pipelines.ending import reaping
from pipelines.errors import AvatarError, Ended, Incompatible, PartFailed
from pipelines.full.page import FullRunnerArguments
from pipelines.meeting import HeyGenRunnerArguments, Invitation
from pipelines.parts import HEADLESS, Part, part
from pipelines.redaction import redact
from pipelines.settings import load_settings
from pipelines.traces import TRACES
from sessions import metrics

if TYPE_CHECKING:
    from pipelines.full.conversation import FullConversation

MEETINGS: Mapping[type[RunnerArguments], Part] = {
    SmallWebRTCRunnerArguments: part("transport", "webrtc"),
    DailyRunnerArguments: part("transport", "daily"),
    LiveKitRunnerArguments: part("transport", "livekit"),
    HeyGenRunnerArguments: part("transport", "heygen"),
    FullRunnerArguments: part("transport", "full"),
    WebSocketRunnerArguments: HEADLESS,
}
Opened = asyncio.Future[Invitation | None]

# Whoever imports the bot has its log clean from here on.
redact()


async def bot(runner_args: RunnerArguments) -> None:
    """Hold one conversation, as the environment and the body of /start ask.

    Raises:
        UserError: it cannot be had so; who is connected has been told.
    """
    async with telling(runner_args):
        request = request_of(runner_args)
        async with reaping(request.settings):
            try:
                await _hold(request)
            finally:
                await asyncio.to_thread(TRACES.flush)


async def converse(request: Request, opened: Opened | None = None) -> None:
    """Hold one conversation, from the user's arrival to the end.

    Args:
        request: who takes part.
        opened: told when the user can come, and where to, if it is a place made on demand.

    Raises:
        AvatarError: there was none; who is connected has been told.
    """
    redact(request.settings)
    async with telling(request.arguments):
        try:
            await _hold(request, opened)
        finally:
            await asyncio.to_thread(give_back)


async def _hold(request: Request, opened: Opened | None = None) -> None:
    arguments = request.arguments
    if isinstance(arguments, FullRunnerArguments):
        return await _hold_full(request, opened)
    async with open_conversation(request) as conversation:
        runner = WorkerRunner(
            handle_sigint=arguments.handle_sigint,
            handle_sigterm=arguments.handle_sigterm,
            force_gc=True,  # a conversation's frames and threads hang in cycles
        )
        with RUNNING.holding(conversation.worker, conversation.farewell):
            await runner.add_workers(conversation.worker)
            if opened:
                _announce(conversation, opened)
            await runner.run()


async def _hold_full(request: Request, opened: Opened | None) -> None:
    """Hold a conversation that LiveAvatar runs; who waits for the place is told where it is."""
    from pipelines.full.conversation import open_full  # and LiveAvatar's messages

    async with open_full(request) as conversation:
        with RUNNING.holding(conversation, conversation.farewell):
            try:
                await _run_full(conversation, opened)
            finally:
                await conversation.close()


async def _run_full(conversation: "FullConversation", opened: Opened | None) -> None:
    try:
        room = await conversation.begin()
    except Ended:
        raise
    except AvatarError:
        metrics.failed("meeting", MEETINGS[FullRunnerArguments].value, "gave no room")
        raise
    if opened:
        opened.set_result(room)
    await conversation.run()


def _announce(conversation: Conversation, opened: Opened) -> None:
    """Tell when the user can come; a place made on demand is known once it is open."""
    room = conversation.meeting.room
    if not room:
        opened.set_result(None)
        return

    @conversation.worker.event_handler("on_pipeline_started")
    async def started(*_: Any) -> None:
        try:
            opened.set_result(await room())
        except PartFailed as error:
            metrics.failed("meeting", MEETINGS[HeyGenRunnerArguments].value, "gave no room")
            conversation.transcript.event("error", text=str(error))
            opened.set_exception(error)
            await conversation.worker.cancel(reason=str(error))


def request_of(runner_args: RunnerArguments) -> Request:
    """What the runner's arguments ask for, by the settings of the environment.

    Raises:
        UserError: the settings or the request cannot be used.
    """
    kinds = (meeting for kind, meeting in MEETINGS.items() if isinstance(runner_args, kind))
    meeting = next(kinds, None)
    if not meeting:
        met = ", ".join(each.value for each in MEETINGS.values())
        raise Incompatible(
            f"The avatar cannot be met with {type(runner_args).__name__}", f"use one of {met}"
        )
    settings = load_settings()
    redact(settings)
    return Casting(settings).cast(meeting, runner_args.body).request(runner_args)


if __name__ == "__main__":
    from bots.cli import main

    main()
