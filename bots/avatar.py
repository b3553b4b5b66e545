"""The bot: one conversation for whoever the runner connects.

`bot(runner_args)` is what Pipecat's runner and Pipecat Cloud call; run this file or `avatar` to
start the development server.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from pipecat.runner.types import (
    DailyRunnerArguments,
    LiveKitRunnerArguments,
    RunnerArguments,
    SmallWebRTCRunnerArguments,
    WebSocketRunnerArguments,
)
from pipecat.workers.runner import WorkerRunner

from bots.running import RUNNING
from pipelines.conversation import Conversation, Request, open_conversation
from pipelines.errors import Incompatible, PartFailed
from pipelines.meeting import HeyGenRunnerArguments, Invitation
from pipelines.offer import persona_asked, with_face
from pipelines.parts import HEADLESS, Choice, Lineup, Part, choose, part
from pipelines.persona import Persona
from pipelines.settings import Settings, load_settings

MEETINGS: Mapping[type[RunnerArguments], Part] = {
    SmallWebRTCRunnerArguments: part("transport", "webrtc"),
    DailyRunnerArguments: part("transport", "daily"),
    LiveKitRunnerArguments: part("transport", "livekit"),
    HeyGenRunnerArguments: part("transport", "heygen"),
    WebSocketRunnerArguments: HEADLESS,
}


async def bot(runner_args: RunnerArguments) -> None:
    """Hold one conversation, from the user's arrival to the end.

    Raises:
        UserError: a part cannot be built as the settings ask.
    """
    async with open_conversation(request_of(runner_args)) as conversation:
        runner = WorkerRunner(
            handle_sigint=runner_args.handle_sigint,
            handle_sigterm=runner_args.handle_sigterm,
            force_gc=True,  # a conversation's frames and threads hang in cycles
        )
        with RUNNING.holding(conversation.worker):
            await runner.add_workers(conversation.worker)
            if isinstance(runner_args, HeyGenRunnerArguments):
                _announce_room(conversation, runner_args.room)
            await runner.run()


def _announce_room(conversation: Conversation, announced: asyncio.Future[Invitation]) -> None:
    """Tell where the room is once it is open; without one there is no conversation."""

    @conversation.worker.event_handler("on_pipeline_started")
    async def opened(*_: Any) -> None:
        assert conversation.meeting.room
        try:
            announced.set_result(await conversation.meeting.room())
        except PartFailed as error:
            announced.set_exception(error)
            await conversation.worker.cancel(reason=str(error))


def request_of(runner_args: RunnerArguments) -> Request:
    """What the runner's arguments ask for.

    Raises:
        UserError: the settings or the request cannot be used.
    """
    settings = getattr(runner_args.cli_args, "settings", None) or load_settings()
    variables = getattr(runner_args.cli_args, "variables", {})
    body = runner_args.body if isinstance(runner_args.body, dict) else {}
    chosen = lineup_for(settings, MEETINGS[type(runner_args)])
    persona = persona_for(settings, chosen, body, variables)
    return Request(settings, chosen, persona, runner_args)


def lineup_for(settings: Settings, meeting: Part) -> Lineup:
    """The line-up for the place where this user is met.

    Raises:
        UserError: no such line-up can be had.
    """
    if meeting is HEADLESS:
        lineup = dict(choose(settings.model_copy(update={"transport": "webrtc"})))
        return {**lineup, "transport": Choice(HEADLESS, "the eval harness connected")}
    return choose(settings.model_copy(update={"transport": meeting.value}))


def persona_for(
    settings: Settings, lineup: Lineup, body: Mapping[str, Any], given: Mapping[str, str]
) -> Persona:
    """The persona and the face that the body of /start chooses, the variables filled in.

    Raises:
        NotOffered: a choice is not offered.
        Incompatible: the variables are no mapping of names to texts.
        BadSetting: the persona cannot be read, or a variable has no value.
    """
    persona = persona_asked(settings, body.get("persona"))
    persona = with_face(settings, lineup, persona, body.get("avatar"))
    return persona.filled({**given, **asked_variables(body)})


def asked_variables(body: Mapping[str, Any]) -> dict[str, str]:
    """The variables in the body of /start.

    Raises:
        Incompatible: they are no mapping of names to texts.
    """
    variables = body.get("variables") or {}
    if not isinstance(variables, dict) or not all(
        isinstance(value, str | int | float) for value in variables.values()
    ):
        raise Incompatible('"variables" in the body of /start is no mapping', "map names to texts")
    return {str(name): str(value) for name, value in variables.items()}


if __name__ == "__main__":
    from bots.cli import main

    main()
