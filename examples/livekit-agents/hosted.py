"""The agent in LiveAvatar's own room, started by `dispatcher.py --hosted`, which tells it where."""

import asyncio
import json
import signal
import sys

from agent import GREETING, conversation, face, guide
from livekit import rtc
from livekit.agents import RoomOptions, utils

# The plugin signs a token for the avatar with these, which nobody needs: it is in the room.
UNUSED = {"livekit_api_key": "unused", "livekit_api_secret": "unused, and as long as it has to be"}


async def main() -> None:
    """Talk with the user until somebody ends it."""
    begun = json.loads(sys.stdin.readline())
    over, room = asyncio.Event(), rtc.Room()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with utils.http_context.open():
        await room.connect(begun["url"], begun["token"])
        session, avatar = conversation(), face(begun)
        session.on("close", lambda _: over.set())
        await avatar.start(session, room=room, livekit_url=begun["url"], **UNUSED)
        options = RoomOptions(participant_identity=begun["user"])
        await session.start(guide(), room=room, room_options=options)
        await session.say(GREETING)
        await over.wait()
        await session.aclose()
        await avatar.aclose()
        await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
