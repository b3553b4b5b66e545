"""Deepgram, Gemini, Cartesia and LiveAvatar as Pipecat has them; where they are can be set, too."""

import os

from google.genai.types import HttpOptions
from loguru import logger
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.google.llm import GoogleLLMService
from pipecat.services.heygen.api_liveavatar import (
    LiveAvatarApi,
    LiveAvatarNewSessionRequest,
    VideoEncoding,
    VideoQuality,
    VideoSettings,
)
from pipecat.services.heygen.client import ServiceType

PROMPT = "You talk in a video call. Answer in one or two short sentences."
VOICE = "71a7ad14-091c-4e8e-a314-022ece01c121"
AVATAR = os.getenv("LIVEAVATAR_AVATAR_ID", "dd73ea75-1218-4ef3-92ce-606d5f7fbc0a")
# What Pipecat's classes take to be LiveAvatar's, not the older Interactive Avatar's.
QUALITY = VideoQuality(os.getenv("LIVEAVATAR_QUALITY", "high"))
# One-minute sessions that cost no credits.
SANDBOX = os.getenv("LIVEAVATAR_SANDBOX", "").lower() in ("1", "true", "t", "yes", "y", "on")
VIDEO = VideoSettings(quality=QUALITY, encoding=VideoEncoding.H264)
LIVEAVATAR = {
    "api_key": os.environ["HEYGEN_LIVE_AVATAR_API_KEY"],
    "service_type": ServiceType.LIVE_AVATAR,
    "session_request": LiveAvatarNewSessionRequest(
        avatar_id=AVATAR, video_settings=VIDEO, is_sandbox=SANDBOX
    ),
}
# They log a link with the room's token, and know no other LiveAvatar than the vendor's.
logger.disable("pipecat.services.heygen.client")
if at := os.getenv("LIVEAVATAR_BASE_URL"):
    LiveAvatarApi.BASE_URL = f"{at}/v1"  # pyright: ignore[reportAttributeAccessIssue]


def ears() -> DeepgramSTTService:
    """Deepgram."""
    url = os.getenv("DEEPGRAM_BASE_URL", "")
    return DeepgramSTTService(api_key=os.environ["DEEPGRAM_API_KEY"], base_url=url)


def mind() -> GoogleLLMService:
    """Gemini."""
    return GoogleLLMService(
        api_key=os.environ["GOOGLE_API_KEY"],
        http_options=HttpOptions(base_url=os.getenv("GOOGLE_BASE_URL")),
        settings=GoogleLLMService.Settings(system_instruction=PROMPT),
    )


def voice() -> CartesiaTTSService:
    """Cartesia."""
    url = os.getenv("CARTESIA_BASE_URL", "https://api.cartesia.ai").replace("http", "ws", 1)
    return CartesiaTTSService(
        api_key=os.environ["CARTESIA_API_KEY"],
        url=f"{url}/tts/websocket",
        settings=CartesiaTTSService.Settings(voice=VOICE),
    )
