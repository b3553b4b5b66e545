"""Begins a session of LiveAvatar, brings an agent to it and you, and ends all of it.

uv run python examples/livekit-agents/dispatcher.py             # in your LiveKit room
uv run python examples/livekit-agents/dispatcher.py --hosted    # in LiveAvatar's
"""

import argparse
import asyncio
import contextlib
import json
import signal
import uuid
import webbrowser
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import jwt
from livekit import api
from page import Invitation, served

from liveavatar import LiveAvatar
from liveavatar.records import Started
from liveavatar.wire import LiteRequest, LiveKitConfig, Quality, VideoSettings
from pipelines.settings import Settings, load_settings

HERE = Path(__file__).parent
HOSTED = [str(HERE / ".venv" / "bin" / "python"), str(HERE / "hosted.py")]
# What the avatar is called in a room of one's own and in LiveAvatar's; one that its sandbox has.
AVATAR, HEYGEN, WAYNE = "liveavatar-avatar-agent", "heygen", "dd73ea75-1218-4ef3-92ce-606d5f7fbc0a"


@contextlib.asynccontextmanager
async def begun(
    live: LiveAvatar, settings: Settings, config: LiveKitConfig | None = None
) -> AsyncIterator[Started]:
    """A LITE session, which ends with the block; without a config it has a room of LiveAvatar's."""
    wish = LiteRequest(
        mode="LITE",
        avatar_id=uuid.UUID(settings.liveavatar_avatar_id or WAYNE),
        is_sandbox=settings.liveavatar_sandbox,
        video_settings=VideoSettings(quality=Quality(settings.liveavatar_quality)),
        livekit_config=config,
    )
    made = await live.sessions.token(wish)
    try:
        yield await live.sessions.start(made.session_token)
    finally:
        await live.sessions.stop(made.session_id)


@contextlib.asynccontextmanager
async def program(words: list[str], line: str = "") -> AsyncIterator[None]:
    """A program that runs beside, and reads a line that stands in no list of processes."""
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=DEVNULL)
    assert process.stdin
    try:
        process.stdin.write(f"{line}\n".encode())
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await process.wait()


@contextlib.asynccontextmanager
async def own_room(live: LiveAvatar, settings: Settings, agent: str) -> AsyncIterator[Invitation]:
    """Your LiveKit room with the avatar, and a worker's agent called to it."""
    name, url = f"avatar-{uuid.uuid4().hex[:8]}", settings.livekit_url
    keys = [
        each.get_secret_value() for each in (settings.livekit_api_key, settings.livekit_api_secret)
    ]
    grants = api.VideoGrants(room_join=True, room=name)
    token = api.AccessToken(*keys).with_identity(AVATAR).with_kind("agent").with_grants(grants)
    config = LiveKitConfig(livekit_url=url, livekit_room=name, livekit_client_token=token.to_jwt())
    async with api.LiveKitAPI(url, *keys) as livekit, begun(live, settings, config) as session:
        job = json.dumps(facts(session) | {"avatar": AVATAR})
        await livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(agent_name=agent, room=name, metadata=job)
        )
        try:
            user = api.AccessToken(*keys).with_identity("user").with_grants(grants)
            yield Invitation(name, url, user.to_jwt())
        finally:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=name))


@contextlib.asynccontextmanager
async def hosted(live: LiveAvatar, settings: Settings) -> AsyncIterator[Invitation]:
    """LiveAvatar's room, with an agent of this machine that goes in by its token."""
    async with begun(live, settings) as session:
        # Whoever comes with the client's token is the user: that is what the agent listens to.
        user = jwt.decode(session.livekit_client_token, options={"verify_signature": False})["sub"]
        where = {"url": session.livekit_url, "token": session.livekit_agent_token, "user": user}
        job = json.dumps(facts(session) | {"avatar": HEYGEN, **where})
        async with program(HOSTED, job):
            yield Invitation(session.session_id, session.livekit_url, session.livekit_client_token)


def facts(session: Started) -> dict[str, str]:
    """What an agent needs of a session; the address of its socket is a secret, too."""
    assert session.ws_url
    return {"session_id": session.session_id, "ws_url": session.ws_url}


async def main(options: argparse.Namespace) -> None:
    """Have it all, until Ctrl-C."""
    settings, over = load_settings(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        key = settings.liveavatar_api_key.get_secret_value()
        live = LiveAvatar(http, key, settings.liveavatar_base_url)
        place = (
            hosted(live, settings) if options.hosted else own_room(live, settings, options.agent)
        )
        invitation = await stack.enter_async_context(place)
        page = await stack.enter_async_context(served(invitation, options.port))
        print(f"The avatar is in the room {invitation.room}: talk with it at {page}")
        print("Ctrl-C ends it.", flush=True)
        if options.view:
            await asyncio.to_thread(webbrowser.open, page)
        await over.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosted", action="store_true", help="in LiveAvatar's own room")
    parser.add_argument("--agent", default="avatar", help="the worker's AGENT_NAME")
    parser.add_argument("--port", type=int, default=0, help="of the page to talk on (a free one)")
    parser.add_argument("--view", action=argparse.BooleanOptionalAction, default=True)
    asyncio.run(main(parser.parse_args()))
