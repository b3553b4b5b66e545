"""What the agent hears, thinks and speaks with, and the face of a session that has begun."""

import os
from typing import Any

from livekit.agents import Agent, AgentSession, TurnHandlingOptions
from livekit.plugins import cartesia, deepgram, liveavatar, openai, silero
from livekit.plugins.liveavatar.api import LiveAvatarAPI

GREETING = "Hello! What shall we talk about?"


def conversation() -> AgentSession:
    """Ears, mind and voice; the mind is any endpoint of OpenAI's protocol (OPENAI_BASE_URL)."""
    ears = os.getenv("DEEPGRAM_BASE_URL", "https://api.deepgram.com")
    return AgentSession(
        stt=deepgram.STT(base_url=f"{ears}/v1/listen"),
        llm=openai.LLM(model=os.getenv("OPENAI_MODEL", "gpt-4.1-mini")),
        tts=cartesia.TTS(base_url=os.getenv("CARTESIA_BASE_URL", "https://api.cartesia.ai")),
        vad=silero.VAD.load(),
        turn_handling=TurnHandlingOptions(turn_detection="vad"),
    )


def guide() -> Agent:
    """Who it is."""
    return Agent(instructions="You talk in a video call. Answer in one or two short sentences.")


class Begun(LiveAvatarAPI):
    """LiveAvatar's API for a session that the dispatcher has begun: only its end is asked for."""

    def __init__(self, begun: dict[str, str]) -> None:
        root = os.getenv("LIVEAVATAR_BASE_URL", "https://api.liveavatar.com")
        super().__init__("", api_url=f"{root}/v1/sessions")
        self._begun = begun

    async def create_streaming_session(self, **_: Any) -> dict[str, Any]:
        """The session there is."""
        return {"data": {"session_id": self._begun["session_id"], "session_token": "none"}}

    async def start_streaming_session(self, *_: Any) -> dict[str, Any]:
        """Where its avatar is told what to say."""
        return {"data": {"ws_url": self._begun["ws_url"]}}

    async def stop_streaming_session(self, session_id: str, _token: str) -> dict[str, Any]:
        """End it, by the key: the token stays with the dispatcher."""
        body = {"session_id": session_id, "reason": "USER_DISCONNECTED"}
        return await self._post(
            endpoint="/stop", payload=body, headers={"X-API-KEY": self._api_key}
        )


def face(begun: dict[str, str]) -> liveavatar.AvatarSession:
    """LiveKit's own plugin, speaking through that session; `avatar` is who shows it in the room."""
    avatar = liveavatar.AvatarSession(
        avatar_id="begun already", avatar_participant_identity=begun["avatar"]
    )
    avatar._api = Begun(begun)
    return avatar
