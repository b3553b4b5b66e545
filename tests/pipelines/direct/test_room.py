"""A LiveKit room with users and an avatar in it: what this process takes part in, and what not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager

import jwt
import numpy as np
from livekit import api, rtc
from pipecat.frames.frames import InputAudioRawFrame, OutputImageRawFrame

from liveavatar.wire import Encoding
from pipelines.direct.avatars import ENTRY_S, Place, entry
from pipelines.direct.face import SaidVoiceFrame
from pipelines.guard.seat import ElsewhereFrame
from pipelines.media.follower import is_loud
from pipelines.microphone import is_off
from pipelines.occupancy import is_occupied
from pipelines.settings import load_settings
from sandbox.livekit_server import http_url
from sandbox.room import Room
from tests.faults.scale import tune
from tests.pipelines.direct.conftest import MINUTE_S, SIZE, Hall
from tests.talk.app import until
from tests.talk.guest import Guest

TONE = tune([4])
AUDIO, VIDEO = rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO


@contextlib.asynccontextmanager
async def avatar_in(hall: Hall, livekit) -> AsyncIterator[tuple[str, Room, list[bytes]]]:
    """LiveAvatar's avatar, let in by the bot, its own side, and what the bot hears of it."""
    invited, heard = hall.avatars.invite(), []
    avatar = Room(SIZE, Encoding.H264)
    hear = hall.avatars.listen(invited.identity, lambda sound: heard.append(sound.audio))
    listening = asyncio.create_task(hear)
    await avatar.join(livekit.url, invited.token)
    try:
        await asyncio.wait_for(hall.avatars.appeared(invited.identity), 10)
        yield invited.identity, avatar, heard
    finally:
        listening.cancel()
        await avatar.leave()


async def publish_anew(avatar: Room, *, after_it: bool) -> None:
    """Have an avatar publish another voice before its first one is gone, or `after_it`."""
    me, former = avatar._room.local_participant, avatar._voice
    assert former
    if after_it:
        await me.unpublish_track(former.sid)
    voice = rtc.LocalAudioTrack.create_audio_track("voice", avatar._audio)
    avatar._voice = await me.publish_track(voice, avatar._voice_options())
    if not after_it:
        await me.unpublish_track(former.sid)
    await avatar.is_heard()


async def sing(avatar: Room, heard: list[bytes]) -> None:
    """Have an avatar's voice sound until it is heard: who has just subscribed misses a moment."""
    async with asyncio.timeout(20):
        while not loud(heard):
            await avatar.play(TONE)


def loud(sounds: Iterable[bytes]) -> bool:
    return any(is_loud(np.frombuffer(sound, np.int16)) for sound in sounds)


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


async def test_voices_are_received_and_nothing_else_and_users_alone_are_understood(hall, livekit):
    bot, stage = hall
    async with (
        guest_in(bot, livekit, "ann") as ann,
        avatar_in(bot, livekit) as (avatar, its, heard),
    ):
        async with guest_in(bot, livekit, "bob") as bob:
            await film(bob)
            await until(lambda: {("ann", AUDIO), ("bob", AUDIO)} <= bot.taken)
            others = bot.room.remote_participants
            await until(lambda: len(others["bob"].track_publications) == 2)
            assert bot.taken == {("ann", AUDIO), ("bob", AUDIO), (avatar, AUDIO)}
            assert bot.came == ["ann", "bob"] and bot.transport.get_participants() == bot.came
            await sing(its, heard)
            for after_it in (False, True):
                await publish_anew(its, after_it=after_it)
                heard.clear()
                await sing(its, heard)
            assert not loud(frame.audio for frame in stage.all(InputAudioRawFrame))
            bob.say(TONE)
            await until(lambda: loud(frame.audio for frame in stage.all(InputAudioRawFrame)))
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
    async with avatar_in(bot, livekit) as (avatar, *_):
        await bot.avatars.show_out(avatar)
        await until(lambda: not bot.avatars.shows(avatar))
        who = api.ListParticipantsRequest(room=bot.name)
        async with api.LiveKitAPI(http_url(livekit.url), livekit.key, livekit.secret) as server:
            present = (await server.room.list_participants(who)).participants
        assert [each.identity for each in present] == ["bot"]
        await bot.avatars.show_out(avatar)
