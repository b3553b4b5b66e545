"""Whole conversations in a LiveKit room that LiveAvatar's avatar joins itself."""

import asyncio
import time

import jwt
import numpy as np
import pytest

from guide.knowledge import KNOWLEDGE, load_knowledge
from tests.doorkeeper import show_out
from tests.speech import hear, is_heard, say
from tests.talk.app import until
from tests.talk.attendee import Attendee
from tests.talk.rehearsal import Rehearsal
from tests.talk.test_rooms import nobody_left, start
from tests.talk.test_rooms import until as comes

ANSWER = load_knowledge(KNOWLEDGE)["What can you do"].answers[0].text
# Longer than between two sentences, shorter than until what was said instead is answered.
PAUSE_S = 0.8
# Of an answer: some words.
SOME_S = 1.0
# Words that are heard, on a busy machine, while it is told to fall silent.
ON_THE_WAY = 5
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.realtime]


async def hushed(attendee: Attendee, who: str, since_s: float = 0.0) -> None:
    """Wait until somebody has spoken since then, and has been quiet for 1.5 s."""
    await until(lambda: attendee.spoke(who, since_s), 30)
    await until(lambda: time.monotonic() - attendee.spoke(who, since_s) > 1.5, 60)


async def interruptions(stage: Rehearsal, session: str) -> int:
    """How often LiveAvatar was told to fall silent."""
    return (await stage.commands(session)).count("agent.interrupt")


async def test_the_avatar_itself_speaks_in_the_room_and_everybody_in_it_is_answered(
    joined, livekit
):
    app, stage = joined
    room = await start(app, "livekit")
    async with Attendee.present(room["url"], room["token"]) as ann:
        await until(lambda: ann.avatars, 20)
        (avatar,) = ann.avatars
        await hushed(ann, avatar)
        assert "talk to me" in hear(ann.said(avatar), 24_000)
        assert len(ann.sights[avatar]) > 25
        name = jwt.decode(room["token"], options={"verify_signature": False})["video"]["room"]
        async with Attendee.present(livekit.url, livekit.token(name, "bob", 60)) as bob:
            await until(lambda: avatar in bob.voices, 20)
            bob.say(say("What can you do?"))
            await asyncio.wait_for(bob.quiet.wait(), 20)
            asked_s = bob.quiet_at_s
            await until(lambda: ann.loud_s(avatar, asked_s) > SOME_S, 20)
            (session,) = await stage.open_sessions()
            before = await interruptions(stage, session["id"])
            bob.say(say("Stop. Stop it, please."))

            async def is_told() -> bool:
                return await interruptions(stage, session["id"]) > before

            await comes(is_told, True, "the avatar to be told to fall silent")
            await until(lambda: time.monotonic() - ann.spoke(avatar, asked_s) > PAUSE_S, 20)
            cut = hear(ann.said(avatar, asked_s, time.monotonic()), 24_000).split()
        assert ann.tracks[ann.bot] == {"audio"} and not ann.spoke(ann.bot), "it has no part in it"
    lines = await app.ended_transcript()
    await nobody_left(stage)
    said = [line["text"] for line in lines if line.get("who") == "avatar"]
    missed = len(cut) - len(said[1].split())
    assert -2 <= missed <= ON_THE_WAY, f"{said[1]} is what was heard: {cut}"
    assert ANSWER.startswith(said[1][:10]) and len(said[1]) < len(ANSWER)


async def test_who_is_left_by_the_avatar_hears_the_rest_from_the_bot_and_then_another_one(
    joined, livekit
):
    app, stage = joined
    room = await start(app, "livekit")
    async with Attendee.present(room["url"], room["token"]) as ann:
        await until(lambda: ann.avatars, 20)
        (avatar,) = ann.avatars
        await hushed(ann, avatar)
        asked_s = time.monotonic()
        await ann.write("What can you do?")
        await until(lambda: ann.loud_s(avatar, asked_s) > SOME_S, 20)
        name = jwt.decode(room["token"], options={"verify_signature": False})["video"]["room"]
        await show_out(livekit, name, avatar)
        await until(lambda: ann.told("face-lost"), 10)
        await hushed(ann, ann.bot)
        heard = ann.said(avatar, asked_s) + loud_of(ann, ann.bot)
        assert is_heard(ANSWER, heard, 24_000)
        assert len(hear(heard, 24_000).split()) <= 1.1 * len(ANSWER.split()), "nothing twice"
        assert ann.sights[ann.bot], "the puppet is seen"
        await until(lambda: ann.told("face-back"), 30)
        (another,) = ann.avatars
        assert another != avatar
        tracks = ann.room.remote_participants[ann.bot].track_publications
        await until(lambda: len(tracks) == 1)
        asked_s = time.monotonic()
        await ann.write("Thanks for your help.")
        await hushed(ann, another, asked_s)
        assert not ann.spoke(ann.bot, asked_s)
        assert len(await stage.open_sessions()) == 1
    events = [line.get("event") for line in await app.ended_transcript()]
    assert events.count("face-lost") == events.count("face-back") == 1
    await nobody_left(stage)


def loud_of(attendee: Attendee, who: str) -> bytes:
    """What somebody said, from the first word on: s16le mono 24 kHz."""
    voice = attendee.voices[who]
    first_s = next(at for at, sound in voice if np.abs(sound).max(initial=0) > 1000)
    return attendee.said(who, first_s - 0.02)
