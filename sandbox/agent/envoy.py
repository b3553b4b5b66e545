"""The participant that stands for an agent of ElevenLabs (liveavatar-protocol: section 6).

It passes on what is said in the room, has the avatar say what the agent says, and carries events
and commands between the data channel and the agent's WebSocket.
"""

import asyncio
import base64
import contextlib
import json
import re
from typing import Any

import aiohttp
from pipecat.audio.utils import create_stream_resampler
from pydantic import SecretStr

from liveavatar.channel import MAX_PACKET_BYTES
from liveavatar.orders import Order
from liveavatar.wire import SAMPLE_RATE, EndReason
from pipelines.redaction import REDACTION, redacted
from sandbox.agent.answers import Answers
from sandbox.agent.mixer import RATE
from sandbox.agent.presence import Presence
from sandbox.errand import Errand
from sandbox.errors import AgentFailed

SIGNED_URL = "/v1/convai/conversation/get-signed-url"
# For an address ElevenLabs is waited for no longer.
ASKED_S = 10.0
# A connection on which nobody answers for so long is gone; to close one may take this long.
ALIVE_S, CLOSES_S = 20.0, 1.0
GONE = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)
# Sound is passed on in pieces of 100 ms.
PIECE_BYTES = 2 * RATE // 10
# A pause that is longer ends what the avatar says: nobody tells where it does.
PAUSE_S = 0.3
SPEAKS = 0.5  # vad_score from which on the user speaks
COMMAND = "elevenlabs_agent_command"
# Fields of each command.
COMMANDS = {
    "user_message": ("text",),
    "contextual_update": ("text",),
    "user_activity": (),
    "client_tool_result": ("tool_call_id", "result", "is_error"),
}
# Events that stay between the agent and its envoy.
UNTOLD = ("audio", "ping")
BEGUN = "conversation_initiation_metadata"
# What an event that is none raises, be it of numbers without end or nested without end.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


class BadAgent(Exception):
    """An agent that cannot be conversed with; the message says why."""


class Envoy(Presence):
    """One session's envoy."""

    def __init__(self, errand: Errand, *rest: Any) -> None:
        """`rest` is that of any presence."""
        super().__init__(*rest)
        self._errand = errand
        self._address = ""
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._run: asyncio.Task[Any] | None = None
        self._heard, self._hears_hz = bytearray(), RATE
        self._resampler = create_stream_resampler()
        # Until when what came is heard; and the last sound that is not to be heard any more.
        self._until_s, self._silenced = 0.0, -1
        self._answers = Answers()
        self._pause: asyncio.TimerHandle | None = None
        REDACTION.know(
            self._settings.model_copy(update={"elevenlabs_api_key": SecretStr(errand.key)})
        )

    async def build(self) -> None:
        """Have ElevenLabs say where the agent is. Raises: AgentFailed when it refuses."""
        root = self._settings.elevenlabs_base_url.rstrip("/")
        try:
            async with self._http.get(
                f"{root}{SIGNED_URL}",
                params={"agent_id": self._errand.agent_id},
                headers={"xi-api-key": self._errand.key},
                timeout=aiohttp.ClientTimeout(total=ASKED_S),
            ) as answer:
                self._address = _address(answer.status, await answer.text())
        except BadAgent as error:
            raise AgentFailed(redacted(str(error))) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise AgentFailed(redacted(f"ElevenLabs does not answer: {why}")) from None

    async def run(self) -> None:
        """Converse once somebody is there, until the agent hangs up or `gone()`."""
        if self._ended:
            return
        self._run = asyncio.current_task()
        await self._company()
        for work in (self._obey(), self._attend()):
            self._spawn(work)
        try:
            reason = await self._converse()
        except (aiohttp.ClientError, TimeoutError, ValueError, BadAgent) as error:
            why = str(error) or "the agent does not begin"
            self._note({"problem": redacted(why)}, "failed")
            reason = EndReason.SERVER_ERROR
        self._end(reason)

    async def _converse(self) -> EndReason:
        """Until the agent hangs up; how the session ends."""
        async with asyncio.timeout(self._settings.avatar_thinking_s) as limit:
            async with self._http.ws_connect(
                self._address, max_msg_size=0, heartbeat=ALIVE_S
            ) as socket:
                self._socket = socket
                await socket.send_json(self._errand.introduction())
                while (message := await socket.receive()).type not in GONE:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        await self._take(message.data)
                    if self._running.is_set():
                        limit.reschedule(None)
        if socket.close_code != aiohttp.WSCloseCode.OK or not self._running.is_set():
            why = f" ({message.extra})" if message.extra else ""
            raise BadAgent(f"the agent broke off with close code {socket.close_code}{why}")
        await self._heard_out()
        return EndReason.AGENT_HANG_UP

    async def _heard_out(self) -> None:
        """Wait until the avatar has said all that came."""
        now_s = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._until_s - now_s) + PAUSE_S)

    async def _conclude(self) -> None:
        if self._pause:
            self._pause.cancel()
        if self._run and self._run is not asyncio.current_task():
            self._run.cancel()
            await asyncio.wait([self._run], timeout=CLOSES_S)

    async def _hear(self, pcm: bytes) -> None:
        if not self._running.is_set():
            return
        more = await self._resampler.resample(pcm, RATE, self._hears_hz)
        self._heard += more
        if len(self._heard) >= PIECE_BYTES:
            piece, self._heard = bytes(self._heard), bytearray()
            await self._send({"user_audio_chunk": base64.b64encode(piece).decode()})

    async def _send(self, message: dict[str, Any]) -> None:
        """Tell the agent; one that is gone is not told any more."""
        if self._socket and not self._socket.closed:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_json(message)

    async def _do(self, order: Order) -> None:
        fields = COMMANDS.get(order.vendor_type)
        if order.event_type == "avatar.interrupt":
            self._answers.silence(asyncio.get_running_loop().time())
            self._hush()
        elif order.event_type == COMMAND and fields is not None:
            if order.vendor_type == "user_message":
                self._answers.begin()
            given = {name: order.data[name] for name in fields if name in order.data}
            await self._send({"type": order.vendor_type, **given})

    # What the agent tells.

    async def _take(self, text: str) -> None:
        """Take an event; one that cannot be read is noted, and the conversation goes on.

        Raises: BadAgent when the agent cannot be conversed with.
        """
        try:
            event = json.loads(text)
            if not isinstance(kind := event["type"], str):
                raise TypeError("its type is no text")
            self._pass_on(kind, event)
            await self._heed(kind, event)
        except UNREADABLE as error:
            self._note({"problem": f"an event of the agent cannot be read: {error!r}"}, "failed")

    def _pass_on(self, kind: str, event: dict[str, Any]) -> None:
        if kind in UNTOLD:
            return
        if len(json.dumps(event)) > MAX_PACKET_BYTES:
            self._note({"problem": f"{kind} is too long for a packet"}, "failed")
            return
        self._teller.tell("elevenlabs_agent_event", elevenlabs_event_type=kind, data=event)

    async def _heed(self, kind: str, event: dict[str, Any]) -> None:
        match kind:
            case "ping":
                await self._send({"type": "pong", "event_id": event["ping_event"]["event_id"]})
            case "audio":
                self._say(event["audio_event"])
            case "interruption":
                self._silenced = int(event["interruption_event"].get("event_id", self._silenced))
                self._answers.begin()
                self._teller.tell("user.speak_started")
                self._hush()
            case _ if kind == BEGUN:
                self._begin(event[f"{BEGUN}_event"])
            case _:
                self._follow(kind, event)

    def _begin(self, formats: dict[str, Any]) -> None:
        """The agent has begun. Raises: BadAgent when it speaks or hears in another format."""
        spoken = formats.get("agent_output_audio_format", f"pcm_{SAMPLE_RATE}")
        heard = formats.get("user_input_audio_format", f"pcm_{RATE}")
        if spoken != f"pcm_{SAMPLE_RATE}":
            raise BadAgent(f"the agent speaks {spoken}: set its output to PCM {SAMPLE_RATE} Hz")
        if not (hertz := re.fullmatch(r"pcm_(\d+)", heard)):
            raise BadAgent(f"the agent hears {heard}: set its input to PCM {RATE} Hz")
        self._hears_hz = int(hertz[1])
        self._running.set()

    def _follow(self, kind: str, event: dict[str, Any]) -> None:
        """Tell what is said, as any FULL session does."""
        match kind:
            case "vad_score" if float(event["vad_score_event"]["vad_score"]) >= SPEAKS:
                self._teller.tell("user.speak_started")
            case "tentative_user_transcript":
                text = event["tentative_user_transcription_event"]["user_transcript"]
                self._teller.tell("user.transcription.chunk", text=text)
            case "user_transcript":
                self._said_by_user(event["user_transcription_event"]["user_transcript"])
            case "agent_chat_response_part":
                if text := event["text_response_part"].get("text"):
                    self._teller.tell("avatar.transcription.chunk", text=text)
            case "agent_response":
                text = event["agent_response_event"]["agent_response"]
                self._answers.word(asyncio.get_running_loop().time())
                self._teller.tell("user.speak_ended")
                self._teller.keep("avatar", text)
                self._teller.tell("avatar.transcription", text=text)
            case "agent_response_correction":
                told = event["agent_response_correction_event"]
                self._teller.correct(told["corrected_agent_response"])

    def _said_by_user(self, text: str) -> None:
        self._account.heard(self._session)
        self._answers.begin()
        self._teller.tell("user.speak_started")
        self._teller.tell("user.speak_ended")
        self._teller.keep("user", text)
        self._teller.tell("user.transcription", text=text)

    # What the avatar says.

    def _say(self, sound: dict[str, Any]) -> None:
        """Have the avatar say some more, unless it was interrupted meanwhile."""
        pcm = base64.b64decode(sound["audio_base_64"], validate=True)
        if int(sound.get("event_id", self._silenced + 1)) <= self._silenced:
            return
        loop = asyncio.get_running_loop()
        if not self._answers.sounds(loop.time()):
            return
        self._until_s = max(self._until_s, loop.time()) + len(pcm) / (2 * SAMPLE_RATE)
        self._performance.say(pcm)
        if self._pause:
            self._pause.cancel()
        self._pause = loop.call_at(self._until_s + PAUSE_S, self._performance.said)

    def _hush(self) -> None:
        if self._pause:
            self._pause.cancel()
        self._until_s = 0.0
        self._performance.hush()


def _address(status: int, text: str) -> str:
    """Where the agent is, from ElevenLabs' answer. Raises: BadAgent, ValueError."""
    if status != 200:
        raise BadAgent(f"ElevenLabs refuses the agent with status {status}: {_reason(text)}")
    told = json.loads(text)
    address = told.get("signed_url") if isinstance(told, dict) else None
    if not isinstance(address, str) or not address.startswith(("ws://", "wss://")):
        raise BadAgent("ElevenLabs gives no address of the agent")
    return address


def _reason(text: str) -> str:
    """What an error of ElevenLabs says, in short."""
    message = re.search(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)"', text)
    return (message[1] if message else text)[:200]
