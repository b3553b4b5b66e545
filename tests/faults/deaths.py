"""The face dies while it speaks: what is heard of the answer, and what counts as said of it.

Each word of the answer is a tone, so that what is heard can be told through any codec.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from pipecat.frames.frames import Frame, OutputImageRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from liveavatar.wire import AVATAR_IDENTITY, SANDBOX_AVATARS
from sandbox import Address, Limits, LiveKit, sandbox
from sandbox.session import Session
from sandbox.tokens import room_claims
from tests.doorkeeper import show_out
from tests.faults.hall import LOUD, Hall, open_hall
from tests.faults.scale import RATE, Listener, tune
from tests.standins.cartesia import Cartesia
from tests.standins.ollama import Ollama

# As long as each other, so that the stand-in gives each the time of its tone.
WORDS = ("able", "baby", "city", "dark", "easy", "fact", "game", "hand", "idea", "join")
ANSWER = f"{' '.join(WORDS).capitalize()}."
# What is shorter is no tone, but the slip from one to the next.
SLIP_S = 0.05
# Nobody hears it.
HUM = -2
# The silence in which it is noticed that a face is mute, and more.
NOTICED_S = 4.5
Act = Callable[[], Awaitable[None]]


def freeze(at: Address) -> Act:
    """LiveAvatar goes still and tells nobody."""

    async def act() -> None:
        for session in at.desk.account.active():
            if performance := at.desk.theatre.performance(session):
                performance.freeze()

    return act


def remove(at: Address, livekit: LiveKit) -> Act:
    """Somebody removes the avatar from its room."""

    async def act() -> None:
        for session in at.desk.account.active():
            await show_out(livekit, *_seat(session))

    return act


def _seat(session: Session) -> tuple[str, str]:
    """The room that a session's avatar is in, and its identity there."""
    own = getattr(session.request, "livekit_config", None)
    if not own:
        return session.id, AVATAR_IDENTITY
    claims = room_claims(own.livekit_client_token)
    return claims["video"]["room"], claims["sub"]


@dataclass(frozen=True)
class Death:
    """When the face dies, in seconds of the answer, and how; does the user interrupt the rest?"""

    at_s: float
    freezes: bool
    interrupts: bool


@dataclass(frozen=True)
class Remains:
    """The words that were heard, those in the transcript, and those that the mind remembers.

    `silent_s` is the longest silence from the death until the end of what was heard.
    """

    heard: list[str]
    written: list[str]
    remembered: list[str]
    silent_s: float


class Window(FrameProcessor):
    """Where pictures pass: LiveAvatar's are RGB."""

    face = False

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Look at it."""
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputImageRawFrame):
            self.face = frame.format == "RGB"
        await self.push_frame(frame, direction)


@dataclass(frozen=True)
class Faced:
    """A conversation with LiveAvatar's face, and what is behind it."""

    hall: Hall
    mind: Ollama
    at: Address
    window: Window

    def remembered(self) -> list[str]:
        """The words of the avatar's last turn, as the mind was given them since."""
        messages = self.mind.state.prompts[-1]["messages"]
        return words_of([m["content"] for m in messages if m["role"] == "assistant"][-1])

    def written(self) -> list[str]:
        """The words of the avatar's last turn in the transcript."""
        return words_of(
            [line["text"] for line in self.hall.lines if line.get("who") == "avatar"][-1]
        )

    def heard(self) -> list[str]:
        """The words that were heard so far."""
        listener, loudspeaker = Listener(), self.hall.place.loudspeaker
        for _, sound in loudspeaker.sounds:
            listener.hear(sound.tobytes(), loudspeaker.sample_rate)
        numbers = [number for number, seconds in listener.tones if seconds > SLIP_S]
        return [WORDS[number] for number, _ in groupby(numbers)]

    def silent_s(self, since_s: float) -> float:
        """The longest silence from then until the end of what was heard."""
        sounds = self.hall.place.loudspeaker.sounds
        louds = [at for at, pcm in sounds if at > since_s and np.abs(pcm).max(initial=0) > LOUD]
        return max(after - before for before, after in pairwise([since_s, *louds]))


@asynccontextmanager
async def faced(
    livekit: LiveKit, replies: Sequence[str], limits: Limits | None = None
) -> AsyncIterator[Faced]:
    """Hold a conversation, once LiveAvatar's face is seen, until the block ends."""
    async with (
        Ollama(replies=replies) as mind,
        Cartesia(speak=_tones, speak_rate=RATE) as voice,
        sandbox(livekit, limits=limits) as at,
    ):
        with tempfile.TemporaryDirectory() as folder:
            env = {
                **{"stt": "moonshine", "llm": "ollama", "tts": "cartesia", "avatar": "heygen"},
                **{"ollama_base_url": mind.openai_url, "ollama_model": mind.models[0]},
                **{"cartesia_api_key": voice.key, "cartesia_base_url": voice.url},
                **{"liveavatar_api_key": at.key, "liveavatar_base_url": at.url},
                **{"liveavatar_avatar_id": SANDBOX_AVATARS[0], "liveavatar_quality": "low"},
                **{"avatar_prewarm": True, "avatar_fallback": "portrait", "avatar_idle_s": 300.0},
                "avatar_ledger": folder,
            }
            window = Window()
            async with open_hall(Path(folder), env, pictures=(window,)) as hall:
                await hall.until(lambda: window.face, "face", 30)
                yield Faced(hall, mind, at, window)


async def die(livekit: LiveKit, death: Death) -> Remains:
    """Hold a conversation whose face dies in the middle of an answer."""
    async with faced(livekit, [ANSWER, "Yes."]) as its:
        act = freeze(its.at) if death.freezes else remove(its.at, livekit)
        died_s = await _answer(its.hall, death, act)
        silent_s = its.silent_s(died_s)
        await its.hall.type("And?")
        await its.mind.until(lambda: len(its.mind.state.prompts) == 2)
        left = Remains(its.heard(), its.written(), its.remembered(), silent_s)
    assert not its.at.desk.account.active(), "a session stays open"
    return left


async def _answer(hall: Hall, death: Death, act: Act) -> float:
    """Let the face die in the answer, and wait until the next question is due; when it died."""
    asked_s = await hall.type("Tell me.")
    await hall.until(lambda: hall.first_sound(asked_s), "answer")
    await asyncio.sleep(death.at_s)
    died_s = hall.now_s
    await act()
    await hall.until(lambda: hall.notices("face-lost"), "loss")
    if death.interrupts:
        await hall.until(lambda: hall.first_sound(hall.now_s - 0.2), "rest of the answer")
        await asyncio.sleep(0.7)
    else:
        await hall.hushed(died_s, lasting_s=NOTICED_S)
    return died_s


def _tones(text: str) -> bytes:
    words = words_of(text)
    return tune(WORDS.index(word) if word in WORDS else HUM for word in words)


def words_of(text: str) -> list[str]:
    """The words of a text, without the signs around them."""
    return [word.strip(".…").lower() for word in text.split()]
