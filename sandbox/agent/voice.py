"""Who speaks in a FULL session: the client's own voice at ElevenLabs, else one of this machine."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame, TTSStoppedFrame
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService
from pipecat.services.tts_service import TTSService
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr
from websockets.protocol import State

from pipelines.guard.news import News
from pipelines.parts import Part, load, local
from pipelines.persona import Persona
from pipelines.redaction import REDACTION, redacted
from pipelines.settings import Settings
from sandbox.brief import CustomVoice
from sessions.transcript import Transcript

ELEVENLABS = Part("tts", "elevenlabs", "the session's own voice", vendor="ElevenLabs")
# A connection that takes longer has failed.
CONNECT_S = 3.0


@dataclass
class Sounding:
    """How far the speech of a context has come."""

    sounds: bool = False
    ended: bool = False


class ElevenLabs(ElevenLabsTTSService):
    """A voice at ElevenLabs. Speech without a sound, or without an end, is a failure and not said.

    Pipecat takes it for said: words whose times are missing are usual.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sounding: defaultdict[str, Sounding] = defaultdict(Sounding)

    async def is_well(self) -> bool:
        """Connect anew."""
        await self._disconnect()
        await self._connect()
        return self._websocket is not None and self._websocket.state is State.OPEN

    async def _websocket_connect(self, uri: str, **kwargs: Any) -> Any:
        return await super()._websocket_connect(uri, open_timeout=CONNECT_S, **kwargs)

    async def _maybe_try_reconnect(
        self, error_message: str, report_error: Any, error: Exception | None = None
    ) -> bool:
        """Connect anew, as Pipecat does; but tell at once what broke off, and why."""
        if error and not self._disconnecting:
            await report_error(ErrorFrame(error_message, exception=error))
        return await super()._maybe_try_reconnect(error_message, report_error, error)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Speak a text."""
        self._sounding[context_id].ended = False
        async for frame in super().run_tts(text, context_id):
            yield frame

    async def append_to_audio_context(self, context_id: str | None, frame: Any) -> None:
        """Take what has come of a text."""
        if context_id in self._sounding:
            sounding = self._sounding[context_id]
            sounding.sounds |= isinstance(frame, TTSAudioRawFrame)
            sounding.ended |= isinstance(frame, TTSStoppedFrame)
        await super().append_to_audio_context(context_id, frame)

    async def _apply_force_complete(self, context_id: str) -> None:
        """Tell words that were never timed, unless they were not spoken either."""
        sounding = self._sounding.pop(context_id, None)
        if sounding and not (sounding.sounds and sounding.ended):
            stopped = "ElevenLabs stopped in the middle" if sounding.sounds else "it said nothing"
            await self.push_error(stopped, category=ErrorCategory.SERVER)
        else:
            await super()._apply_force_complete(context_id)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Forget what was begun."""
        self._sounding.pop(context_id, None)
        await super().on_audio_context_interrupted(context_id)


class Bulletin(News):
    """Notes what failed for whoever looks into the session."""

    def __init__(self, parts: dict[Any, Part], note: Callable[[str], None]) -> None:
        super().__init__(Transcript(), parts)
        self._note = note

    async def tell(self, text: str, detail: str = "") -> None:
        """Note a failure, and why."""
        self._note(redacted(f"{text} {detail}".strip()))
        await super().tell(text, detail)


def voices_of(
    own: CustomVoice | None, settings: Settings, persona: Persona, http: aiohttp.ClientSession
) -> dict[TTSService, Part]:
    """The voices of a session, in order: the last is this machine's, which needs nobody.

    Raises:
        UserError: that one cannot be built as the settings ask.
    """
    spoken = local("tts")
    here = {load(spoken).build(settings, persona, http): spoken}
    return {_own(own, settings): ELEVENLABS, **here} if own else here


def _own(voice: CustomVoice, settings: Settings) -> TTSService:
    key = {"elevenlabs_api_key": SecretStr(voice.key)}
    REDACTION.know(settings.model_copy(update=key))
    given = ElevenLabsTTSService.Settings(voice=voice.id)
    if voice.settings:
        told = voice.settings.model_dump(exclude={"provider", "apply_language_text_normalization"})
        given = ElevenLabsTTSService.Settings(voice=voice.id, **told)
    root = settings.elevenlabs_base_url.rstrip("/").replace("http", "ws", 1)
    return ElevenLabs(api_key=voice.key, url=root, settings=given)
