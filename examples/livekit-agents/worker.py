"""The worker: `python worker.py dev`, `start` or `download-files`. It waits to be dispatched."""

import json
import os

from agent import GREETING, conversation, face, guide
from livekit.agents import AgentServer, JobContext, cli

server = AgentServer(port=0, num_idle_processes=1)


@server.rtc_session(agent_name=os.getenv("AGENT_NAME", "avatar"))
async def talk(job: JobContext) -> None:
    """Hold the conversation in the room of a dispatch, whose metadata name the session."""
    session = conversation()
    avatar = face(json.loads(job.job.metadata))
    await avatar.start(session, room=job.room)
    await session.start(guide(), room=job.room)
    await avatar.wait_for_join()
    await session.say(GREETING)


if __name__ == "__main__":
    cli.run_app(server)
