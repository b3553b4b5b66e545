"""LiveAvatar's face in a room of one's own: what is sent to it, and what is given out, and when."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from pipecat.frames.frames import InterruptionFrame, TTSAudioRawFrame, TTSStoppedFrame
from pydantic import SecretStr

from liveavatar.wire import Encoding
from pipelines.avatar.heygen import LiveAvatarVideoService
from pipelines.direct.face import DirectFace, SaidVoiceFrame
from pipelines.direct.meeting import Faces
from pipelines.guard.seat import ElsewhereFrame
from pipelines.persona import Persona
from pipelines.settings import Settings
from sandbox.room import Room
from tests.faults.scale import RATE, REST_S, TONE_S, scale, tune
from tests.pipelines.direct.conftest import SIZE, Hall
from tests.pipelines.test_heygen import Listening
from tests.standins.liveavatar import LiveAvatar
from tests.standins.stage import Stage, running
from tests.talk.app import until

BOTH_S = TONE_S + REST_S
PIECE = 2 * RATE // 25


class Telling(Listening):
    """Tells what a test says of the avatar."""

    async def say(self, kind: str) -> None:
        """Tell something."""
        for socket in self._lite_sockets.values():
            await socket.send_json({"type": f"agent.{kind}"})


@dataclass
class On:
    """A face that is on."""

    vendor: Telling
    face: DirectFace
    stage: Stage
    avatar: Room

    async def play(self, pcm: bytes) -> None:
        """Have the avatar be heard in the room."""
        for at in range(0, len(pcm), PIECE):
            await self.avatar.play(pcm[at : at + PIECE])

    async def voice(self, pcm: bytes) -> None:
        """Give it something to say, and wait until LiveAvatar has all of it."""
        await self.stage.play(TTSAudioRawFrame(pcm, RATE, 1), TTSStoppedFrame())
        (session,) = self.vendor.state.open_sessions
        ends = self.sent.count("agent.speak_end")
        await until(lambda: self.sent.count("agent.speak_end") > ends, 10)
        assert len(session.audio) >= len(pcm)

    @property
    def sent(self) -> list[str]:
        """The kinds of what LiveAvatar was sent."""
        (session,) = self.vendor.state.open_sessions
        return [message["type"] for message in session.messages]

    @property
    def is_over(self) -> bool:
        """Whether the end of the voice has gone all the way."""
        return sum(isinstance(each, TTSStoppedFrame) for each in self.stage.seen) > 1

    @property
    def said_s(self) -> float:
        """How much was given out as said."""
        said = self.stage.all(SaidVoiceFrame)
        return round(sum(each.num_frames / each.sample_rate for each in said), 3)


def settings_for(vendor: LiveAvatar, hall: Hall, form: str = "auto") -> Settings:
    key = SecretStr(vendor.key)
    leads = {"liveavatar_base_url": vendor.url, "liveavatar_api_key": key, "liveavatar_room": form}
    return hall.settings.model_copy(update=leads)


@asynccontextmanager
async def face_in(hall: Hall):
    async with Telling() as vendor:
        face = DirectFace(settings_for(vendor, hall), Persona(), hall.http, hall.avatars)
        async with running(face) as stage:
            await stage.worker.flush_pipeline()
            (session,) = vendor.state.open_sessions
            avatar, config = Room(SIZE, Encoding.H264), session.wish["livekit_config"]
            await avatar.join(config["livekit_url"], config["livekit_client_token"])
            try:
                await until(lambda: stage.all(ElsewhereFrame), 10)
                yield On(vendor, face, stage, avatar)
            finally:
                await avatar.leave()
        assert not vendor.state.open_sessions


async def test_what_the_avatar_says_is_given_out_when_it_is_heard_whatever_it_tells(hall):
    async with face_in(hall[0]) as on:
        await on.voice(scale(2))
        await on.vendor.say("speak_started")
        await on.play(bytes(RATE))
        await on.vendor.say("speak_ended")
        assert on.said_s == 0 and not on.is_over, "nothing is heard yet"
        await on.play(scale(2) + bytes(RATE))
        await until(lambda: on.said_s == pytest.approx(2 * BOTH_S, abs=0.01), 10)
        assert on.face.said_s == pytest.approx(2 * BOTH_S)
        await until(lambda: on.is_over)
        config = on.vendor.state.open_sessions[0].wish["livekit_config"]
        assert set(config) == {"livekit_url", "livekit_room", "livekit_client_token"}


async def test_what_is_interrupted_is_neither_sent_on_nor_given_out(hall):
    async with face_in(hall[0]) as on:
        await on.voice(scale(4))
        await on.play(scale(1) + bytes(RATE))
        await until(lambda: on.said_s > 0, 10)
        await on.stage.play(InterruptionFrame())
        await until(lambda: "agent.interrupt" in on.sent, 10)
        said_s = on.said_s
        assert said_s < 2 * BOTH_S and on.face.said_s == pytest.approx(4 * BOTH_S)
        await on.voice(tune([6]))
        assert on.said_s == said_s
        await on.play(tune([6]) + bytes(RATE))
        await until(lambda: on.said_s == pytest.approx(said_s + BOTH_S, abs=0.01), 10)


async def test_a_face_whose_websocket_is_gone_for_good_is_none_and_nobody_waits_for_it(hall):
    async with face_in(hall[0]) as on:
        await on.voice(scale(2))
        on.vendor.hangs_up = True
        await on.vendor.break_off()
        await until(lambda: not on.face.shows_face, 10)
        assert on.face.said_s == pytest.approx(0, abs=0.05), "all of it is still to be said"


@pytest.mark.parametrize("form", ["auto", "direct"])
async def test_where_liveavatar_cannot_join_the_room_it_is_relayed_unless_that_is_ruled_out(
    hall, form
):
    bot, _ = hall
    async with LiveAvatar() as vendor:
        vendor.fail("/v1/sessions/start", 500)
        faces = Faces(settings_for(vendor, bot, form), Persona(), bot.http, bot.avatars)
        first = faces()
        assert isinstance(first, DirectFace)
        async with running(first):
            await until(lambda: first.kept_out, 10)
        assert isinstance(faces(), LiveAvatarVideoService if form == "auto" else DirectFace)
