"""A LiveKit room with users and an avatar in it: what this process takes part in, and what not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import jwt
import numpy as np
from livekit import api, rtc
from pipecat.frames.frames import OutputImageRawFrame

from liveavatar.wire import Encoding
from pipelines.direct.avatars import ENTRY_S, Place, entry
from pipelines.direct.face import SaidVoiceFrame
from pipelines.guard.seat import ElsewhereFrame
from pipelines.microphone import is_off
from pipelines.occupancy import is_occupied
from pipelines.settings import load_settings
from sandbox.livekit_server import http_url
from sandbox.room import Room
from tests.pipelines.direct.conftest import MINUTE_S, SIZE, Hall
from tests.talk.app import until
from tests.talk.guest import Guest

AUDIO, VIDEO = rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO


@contextlib.asynccontextmanager
async def avatar_in(hall: Hall, livekit) -> AsyncIterator[str]:
    """LiveAvatar's avatar, let in by the bot."""
    invited = hall.avatars.invite()
    avatar = Room(SIZE, Encoding.H264)
    await avatar.join(livekit.url, invited.token)
    try:
        yield invited.identity
    finally:
        await avatar.leave()


def guest_in(hall: Hall, livekit, name: str) -> AbstractAsyncContextManager[Guest]:
    return Guest.present(livekit.url, livekit.token(hall.name, name, MINUTE_S))


async def film(guest: Guest) -> None:
    """Turn a user's camera on."""
    track = rtc.LocalVideoTrack.create_video_track("camera", rtc.VideoSource(*SIZE))
    await guest.room.local_participant.publish_track(track, rtc.TrackPublishOptions())


def test_what_lets_an_avatar_in_lets_it_publish_in_that_room_for_ten_minutes_and_no_more(livekit):
    keys = {"livekit_api_key": livekit.key, "livekit_api_secret": livekit.secret}
    settings = load_settings(livekit_url=livekit.url, **keys)
    one, other = (entry(settings, Place(livekit.url, "mine", "bot")) for _ in range(2))
    claims = jwt.decode(one.token, livekit.secret, ["HS256"])
    assert claims["video"] == {
        "roomJoin": True,
        "room": "mine",
        "canPublish": True,
        "canPublishData": True,
        "canSubscribe": False,
        "canUpdateOwnMetadata": False,
    }
    assert claims["exp"] - claims["nbf"] <= ENTRY_S and claims["kind"] == "agent"
    assert claims["attributes"] == {"lk.publish_on_behalf": "bot"}
    assert one.identity == claims["sub"] != other.identity
    assert one.token not in repr(one)


async def test_users_are_heard_and_nothing_else_is_received(hall, livekit):
    bot, _ = hall
    async with guest_in(bot, livekit, "ann") as ann, avatar_in(bot, livekit) as avatar:
        async with guest_in(bot, livekit, "bob") as bob:
            await film(bob)
            await until(lambda: {("ann", AUDIO), ("bob", AUDIO)} <= bot.taken)
            await asyncio.wait_for(bot.avatars.appeared(avatar), 10)
            others = bot.room.remote_participants
            await until(lambda: len(others["bob"].track_publications) == 2)
            assert bot.taken == {("ann", AUDIO), ("bob", AUDIO)}
            assert bot.came == ["ann", "bob"] and bot.transport.get_participants() == bot.came
        ann.mute(True)
        await until(lambda: is_off(bot.room))
        await ann.room.disconnect()
        await until(lambda: not is_occupied(bot.room))
        assert avatar in others, "a room with only the avatar in it is empty"


async def test_the_bot_publishes_a_picture_only_while_there_is_no_avatar(hall, livekit):
    bot, stage = hall
    picture = OutputImageRawFrame(bytes(SIZE[0] * SIZE[1] * 3), SIZE, "RGB")
    voice = np.full(24_000, 9000, np.int16).tobytes()
    async with guest_in(bot, livekit, "ann") as ann:
        await until(lambda: "bot" in ann.tracks)

        def kinds() -> set[int]:
            tracks = ann.room.remote_participants["bot"].track_publications.values()
            return {each.kind for each in tracks}

        assert kinds() == {AUDIO}
        for _ in range(2):
            await stage.play(picture)
            await until(lambda: kinds() == {AUDIO, VIDEO})
            await stage.play(ElsewhereFrame())
            await until(lambda: kinds() == {AUDIO})
        before = len(ann.heard)
        await stage.play(SaidVoiceFrame(voice, 24_000, 1))
        await ann.until(lambda: len(ann.heard) > before + 150)
        assert not ann.last_loud_at, "what the avatar says is not said by the bot, too"


async def test_an_avatar_that_is_shown_out_is_gone_at_once_and_another_time_nothing_fails(
    hall, livekit
):
    bot, _ = hall
    async with avatar_in(bot, livekit) as avatar:
        await asyncio.wait_for(bot.avatars.appeared(avatar), 10)
        await bot.avatars.show_out(avatar)
        await until(lambda: not bot.avatars.shows(avatar))
        who = api.ListParticipantsRequest(room=bot.name)
        async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
            present = (await server.room.list_participants(who)).participants
        assert [each.identity for each in present] == ["bot"]
        await bot.avatars.show_out(avatar)
