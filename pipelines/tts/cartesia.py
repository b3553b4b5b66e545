"""Cartesia: streaming text to speech with the times of words and phonemes.

The sentences of an answer are in one context.
"""

import json
import uuid
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pipecat.frames.frames import Frame, InterruptionFrame, TTSAudioRawFrame, TTSStoppedFrame
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.tts_service import TTSService
from pipecat.utils.context.word_timestamp_tracker import WordTimestamp
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.tracing.service_decorators import traced_tts
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from pipelines.key import check_key
from pipelines.language import base_language
from pipelines.media.articulation import Articulate, ArticulationFrame
from pipelines.media.speech import Phoneme
from pipelines.persona import Persona
from pipelines.settings import Settings
from pipelines.text import letters

API_VERSION = "2025-04-16"
DEFAULT_VOICE = "71a7ad14-091c-4e8e-a314-022ece01c121"
# A connection that takes longer has failed; it is there in a tenth of this.
CONNECT_S = 3.0
# A text of which less than this share is timed was not spoken to its end.
MOST_OF_IT = 0.8
PHONEMES = "phoneme_timestamps"


@dataclass(frozen=True)
class Ahead:
    """A text that is spoken before it may be heard, in a context of its own at Cartesia.

    Attributes:
        text: the text.
        context_id: Cartesia's name of the context.
        held: the sound and the words that have come, the oldest first.
    """

    text: str
    context_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    held: deque[Any] = field(default_factory=deque)


@dataclass
class Sounding:
    """How far the speech of a context has come.

    Attributes:
        asked: letters to speak, and `timed` those of the words that have come.
        audio_s: seconds of sound that have come.
        held: words whose sound has not come.
    """

    asked: int = 0
    timed: int = 0
    audio_s: float = 0.0
    held: deque[WordTimestamp] = field(default_factory=deque)

    @property
    def breaks_off(self) -> bool:
        """Whether some of it is not to be heard."""
        return not self.audio_s or bool(self.held) or self.timed < MOST_OF_IT * self.asked


class Line:
    """A connection to Cartesia, on which Pipecat's service hears only what it understands."""

    def __init__(self, websocket: Any, told: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """`told` is given the messages about phonemes, which would be errors to the service."""
        self._websocket, self._told = websocket, told

    async def send(self, message: str) -> None:
        """Send a message."""
        await self._websocket.send(message)

    async def __aiter__(self) -> AsyncIterator[str]:
        """The other messages as they come."""
        async for message in self._websocket:
            told = json.loads(message) if PHONEMES in message else {}
            if told.get("type") == PHONEMES:
                await self._told(told)
            else:
                yield message


class Cartesia(Articulate, CartesiaTTSService):
    """Speaks the first sentence of an answer ahead, if asked to.

    A word is told when its sound has come. A context that ends before its text does is a failure,
    after which nothing of the rest counts as said.

    When the answer is let go, the context of that sentence becomes the answer's, and what follows
    goes on in it; when it is not, the context is cancelled and its sound dropped.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ahead: Ahead | None = None
        # What Cartesia calls the contexts of answers that were begun ahead.
        self._theirs: dict[str, str] = {}
        self._sounding: defaultdict[str, Sounding] = defaultdict(Sounding)

    async def is_well(self) -> bool:
        """Connect anew."""
        await self._disconnect()
        await self._connect()
        return self._websocket is not None and self._websocket.state is State.OPEN

    async def _websocket_connect(self, uri: str, **kwargs: Any) -> Any:
        return await super()._websocket_connect(uri, open_timeout=CONNECT_S, **kwargs)

    def prepare(self, text: str) -> None:
        """Begin to speak a text that is likely to be asked for next; one is kept, the last."""
        if self._ahead and self._ahead.text == text.strip():
            return
        self.withdraw()
        self._ahead = Ahead(text.strip())
        self.create_task(self._begin(self._ahead), "prepare")

    def withdraw(self) -> None:
        """Forget what was prepared."""
        ahead, self._ahead = self._ahead, None
        if ahead:
            cancel = json.dumps({"context_id": ahead.context_id, "cancel": True})
            self.create_task(self._send(cancel), "withdraw")

    def _get_websocket(self) -> Line:
        return Line(super()._get_websocket(), self._hear_phonemes)

    async def _hear_phonemes(self, message: dict[str, Any]) -> None:
        """Let the face know what is articulated when; times count from the context's start."""
        context_id, heard = message.get("context_id", ""), _phonemes(message.get(PHONEMES))
        if heard and self.audio_context_available(context_id):
            await self.append_to_audio_context(context_id, ArticulationFrame(heard, context_id))

    async def _begin(self, ahead: Ahead) -> None:
        """Have a text spoken, which is paid for whether or not it is heard."""
        if self._ahead is not ahead:
            return
        if await self._send(self._build_msg(text=ahead.text, context_id=ahead.context_id)):
            await self.start_tts_usage_metrics(ahead.text)
        else:
            self._ahead = None

    async def _send(self, message: str) -> bool:
        """Whether there was a connection; without one nothing needs to be sent ahead."""
        if not self._websocket:
            return False
        try:
            await self._websocket.send(message)
        except ConnectionClosed:
            return False
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Speak a text, with what was made of it ahead."""
        self._sounding[context_id].asked += letters(text)
        ahead = self._ahead
        if ahead and ahead.text == text.strip():
            await self._let_go(text, context_id, ahead)
            yield None
            return
        self.withdraw()
        async for frame in super().run_tts(text, context_id):
            yield frame

    @traced_tts
    async def _let_go(self, text: str, context_id: str, ahead: Ahead) -> None:
        """Let a text be heard that was spoken ahead; a trace has the text from here."""
        while ahead.held:
            await self._append(context_id, _of(context_id, ahead.held.popleft()))
        self._theirs[context_id] = ahead.context_id
        self._ahead = None

    def _ours(self, context_id: str) -> str:
        return next((ours for ours, it in self._theirs.items() if it == context_id), context_id)

    def audio_context_available(self, context_id: str) -> bool:
        """Whether something is to come of a context."""
        if self._ahead and context_id == self._ahead.context_id:
            return True
        return super().audio_context_available(self._ours(context_id))

    async def append_to_audio_context(self, context_id: str | None, frame: Any) -> None:
        """Take what has come of a context; hold what may not be heard yet.

        Cartesia closes a context that waits; one that is held ends with its answer only.
        """
        if self._ahead and context_id == self._ahead.context_id:
            if frame and not isinstance(frame, TTSStoppedFrame):
                self._ahead.held.append(frame)
        elif context_id:
            ours = self._ours(context_id)
            await self._append(ours, _of(ours, frame))

    async def _append(self, context_id: str, frame: Any) -> None:
        """Let a word wait until its sound has come."""
        sounding = self._sounding[context_id]
        if isinstance(frame, WordTimestamp):
            sounding.timed += letters(frame.word)
            sounding.held.append(frame)
        else:
            await super().append_to_audio_context(context_id, frame)
        if isinstance(frame, TTSAudioRawFrame):
            sounding.audio_s += frame.num_frames / frame.sample_rate
        while sounding.held and sounding.held[0].timestamp < sounding.audio_s:
            await super().append_to_audio_context(context_id, sounding.held.popleft())

    async def _apply_force_complete(self, context_id: str) -> None:
        """Tell words that were never timed, unless they were not spoken either."""
        sounding = self._sounding.get(context_id)
        if sounding and sounding.asked and sounding.breaks_off:
            self._sounding.pop(context_id)
            await self.push_error("Cartesia stopped in the middle", category=ErrorCategory.SERVER)
        else:
            await super()._apply_force_complete(context_id)

    def _build_msg(self, *args: Any, context_id: str = "", **kwargs: Any) -> str:
        theirs = self._theirs.get(context_id, context_id)
        message = json.loads(super()._build_msg(*args, context_id=theirs, **kwargs))
        return json.dumps({**message, "add_phoneme_timestamps": True})

    async def push_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> None:
        """Push a frame; what cannot be spoken ahead has not begun, so it has no end either."""
        ahead = self._ahead
        if ahead and isinstance(frame, TTSStoppedFrame) and frame.context_id == ahead.context_id:
            self._ahead = None
            return
        await super().push_frame(frame, direction)

    async def _handle_interruption(
        self, frame: InterruptionFrame, direction: FrameDirection
    ) -> None:
        self.withdraw()
        await super()._handle_interruption(frame, direction)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Cancel the context at Cartesia."""
        self._sounding.pop(context_id, None)
        await super().on_audio_context_interrupted(self._theirs.pop(context_id, context_id))

    async def on_audio_context_completed(self, context_id: str) -> None:
        """Forget the context."""
        self._theirs.pop(context_id, None)
        self._sounding.pop(context_id, None)
        await super().on_audio_context_completed(context_id)

    async def _close_connection_contexts(self) -> None:
        """A context is gone with its connection."""
        self._ahead = None
        await super()._close_connection_contexts()


def _phonemes(told: Any) -> list[Phoneme]:
    """The phonemes of a message; none if it is not as it should be."""
    try:
        rows = zip(told["phonemes"], told["start"], told["end"], strict=True)
        return [Phoneme(str(symbol), float(start), float(end)) for symbol, start, end in rows]
    except (KeyError, TypeError, ValueError):
        return []


def _of(context_id: str, frame: Any) -> Any:
    """A frame or a word, of a context."""
    if frame is not None and hasattr(frame, "context_id"):
        frame.context_id = context_id
    return frame


def build(settings: Settings, persona: Persona, http: aiohttp.ClientSession) -> TTSService:
    """The service, with the voice set, else the persona's."""
    root = settings.cartesia_base_url.rstrip("/").replace("http", "ws", 1)
    voice = settings.cartesia_voice_id or persona.voice_with("cartesia") or DEFAULT_VOICE
    return Cartesia(
        api_key=settings.cartesia_api_key.get_secret_value(),
        url=f"{root}/tts/websocket",
        settings=CartesiaTTSService.Settings(
            model=settings.cartesia_model, voice=voice, language=base_language(persona.language)
        ),
    )


async def check(settings: Settings, http: aiohttp.ClientSession) -> None:
    """Ask whether the key is accepted.

    Raises:
        UserError: it is not.
        aiohttp.ClientError, TimeoutError: the vendor cannot be reached.
    """
    url = f"{settings.cartesia_base_url.rstrip('/')}/voices?limit=1"
    key = settings.cartesia_api_key.get_secret_value()
    headers = {"X-API-Key": key, "Cartesia-Version": API_VERSION}
    await check_key(http, url, headers, "CARTESIA_API_KEY")
