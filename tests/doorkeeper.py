"""A LiveKit server as its operator has it: what programs are told of it, and who is shown out."""

from livekit import api

from sandbox import LiveKit
from sandbox.livekit_server import http_url


def env_of(livekit: LiveKit) -> dict[str, str]:
    """What leads a program to the server."""
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
    }


async def show_out(livekit: LiveKit, room: str, identity: str) -> None:
    """Remove somebody from a room."""
    who = api.RoomParticipantIdentity(room=room, identity=identity)
    async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
        await server.room.remove_participant(who)
