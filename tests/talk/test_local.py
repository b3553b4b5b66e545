"""Whole conversations with local parts: real speech in at real pace, sound and pictures out."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from benchmarks.viewer import Viewer
from tests.speech import SENTENCES, differences_s, hear, heard_words, is_heard, say, told
from tests.talk.app import until
from tests.talk.lipsync import drawn_lag_s, lag_s
from tests.talk.mouth import gauge
from tests.talk.visitor import RATE, Sight, Sound, Visitor

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.realtime]

SIZE = (320, 180)
# aiortc gives a packet of 20 ms out when the fourth one after it has come.
RECEIVER_HOLDS_S = 0.08
# What people do not notice in a film.
MOST_BEHIND_S = 0.08


@dataclass(frozen=True)
class Answered:
    """A question that was spoken until `over_s`, and its answer, which ended at `end_s`."""

    visitor: Visitor
    over_s: float
    end_s: float
    lines: list[dict[str, Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def answered(brief_app):
    """A whole conversation of one question."""
    async with Visitor(brief_app.url) as visitor:
        await visitor.hushed(0)
        over_s = await ask(visitor, "What can you do?")
        end_s = await visitor.hushed(over_s)
        await visitor.until(lambda: visitor.sights[-1].at_s > end_s + 1.5, "pictures after it")
        return Answered(visitor, over_s, end_s, transcript(brief_app))


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(brief_app):
    """A user who has been greeted."""
    async with Visitor(brief_app.url) as visitor:
        await visitor.hushed(0)
        yield visitor


def between(things, start_s, end_s):
    return [thing for thing in things if start_s <= thing.at_s <= end_s]


def pcm(sounds: list[Sound]) -> bytes:
    return b"".join(sound.samples.astype(np.int16).tobytes() for sound in sounds)


def openness(sights: list[Sight]) -> list[float]:
    return [gauge("theo", SIZE).openness(sight.picture) for sight in sights]


def at(visitor: Visitor, kind: str, since_s: float = 0) -> float:
    return next(at for at, message in visitor.messages if message["type"] == kind and at > since_s)


def spoken_words(sounds: list[Sound]) -> list[tuple[str, float]]:
    """The words in received sound, and when the piece of sound arrived in which each begins."""
    ends = np.cumsum([len(sound.samples) for sound in sounds]) / RATE
    heard = heard_words(pcm(sounds))
    pieces = np.searchsorted(ends, [at_s for _, at_s in heard], side="right")
    arrived = [sounds[int(n)].at_s - RECEIVER_HOLDS_S for n in pieces]
    return [(word, at_s) for (word, _), at_s in zip(heard, arrived, strict=True)]


def server_messages(visitor: Visitor, kind: str, since_s: float = 0):
    sent = visitor.received("server-message", since_s)
    return [message for message in sent if message["type"] == kind]


def transcript(app):
    """The lines of the newest conversation."""
    return [json.loads(line) for line in app.transcripts()[-1].read_text().splitlines()]


async def ask(visitor: Visitor, question: str) -> float:
    """Say something; returns when it was over, in seconds."""
    visitor.microphone.say(say(question))
    async with asyncio.timeout(20):
        await visitor.microphone.quiet.wait()
    return visitor.microphone.quiet_at_s


async def test_the_greeting_comes_when_the_face_can_be_seen(brief_app):
    async with Visitor(brief_app.url) as visitor:
        await visitor.until(lambda: visitor.received("bot-stopped-speaking"), "the greeting", 30)
        first_sound = next(sound.at_s for sound in visitor.sounds if sound.loud)
        assert visitor.sights[0].at_s < first_sound
        heard = hear(pcm(visitor.sounds))
    assert "talk to me" in heard


async def test_a_spoken_question_is_answered_in_sound_and_words(answered):
    visitor, over_s = answered.visitor, answered.over_s
    asked = visitor.received("user-transcription")
    assert re.search("what can you do", asked[-1]["text"].lower())
    spoken = " ".join(message["text"] for message in visitor.received("bot-transcription", over_s))
    assert is_heard(spoken, pcm(between(visitor.sounds, over_s, answered.end_s)))


async def test_captions_show_each_word_when_it_is_heard(answered):
    visitor, over_s = answered.visitor, answered.over_s
    told = visitor.told(over_s)
    heard = spoken_words(between(visitor.sounds, over_s, answered.end_s + 0.5))
    late_s = np.array(differences_s(told, heard))
    assert len(told) > 15 and len(late_s) > 0.6 * len(told), (told, heard)
    assert abs(np.median(late_s)) < 0.15, late_s
    assert np.mean(np.abs(late_s) < 0.25) >= 0.9, late_s


async def test_pictures_come_at_25_a_second_stamped_with_real_time(answered):
    seen = between(answered.visitor.sights, answered.end_s - 4, answered.end_s)
    took_s = seen[-1].at_s - seen[0].at_s
    assert took_s > 3.5
    assert (len(seen) - 1) / took_s == pytest.approx(25, abs=1.5)
    assert (seen[-1].rtp_s - seen[0].rtp_s) / took_s == pytest.approx(1, abs=0.03)
    assert seen[0].picture.shape == (SIZE[1], SIZE[0])


async def test_the_mouth_is_open_while_speaking_and_shut_otherwise(answered):
    visitor, over_s, end_s = answered.visitor, answered.over_s, answered.end_s
    start_s = at(visitor, "bot-started-speaking", over_s)
    quiet = openness(between(visitor.sights, over_s - 0.5, start_s - 0.2))
    speaking = openness(between(visitor.sights, start_s, end_s - 0.3))
    after = openness(between(visitor.sights, end_s + 0.5, end_s + 1.5))
    assert np.mean(np.array(speaking) > 0.3) > 0.1
    assert max(speaking) > 0.6
    assert np.mean(quiet + after) < 0.1
    assert max(quiet + after) < 0.3


async def spoken(viewer: Viewer, since_s: float) -> float:
    """Wait until the avatar has spoken since then, and is quiet; when it ended, since 1970."""
    await viewer.until(lambda: viewer.last_loud_s > since_s, "the avatar's voice")
    await viewer.until(lambda: time.time() > viewer.last_loud_s + 1.5, "its end", 60)
    return viewer.last_loud_s


async def test_the_mouth_keeps_step_with_the_voice(brief_app):
    """As browsers play it: by the sender's reports of what is due when."""
    async with Viewer(brief_app.url, gauge("theo", SIZE)) as viewer:
        await spoken(viewer, 0)
        start_s = time.time()
        viewer.send("send-text", {"content": "What can you do?"})
        end_s = await spoken(viewer, start_s) + 0.5
        seen, heard = viewer.picture.played(start_s, end_s), viewer.sound.played(start_s, end_s)
    drawn_s = drawn_lag_s("theo", SIZE, *told(" ".join(SENTENCES[6:12])))
    assert abs(lag_s(seen, heard) - drawn_s) < MOST_BEHIND_S


async def test_the_transcript_says_who_what_when_and_how_fast(answered):
    lines = answered.lines
    assert lines[0]["event"] == "started" and lines[0]["lineup"]["tts"] == "hibari"
    greeting, question, answer = (line for line in lines if "who" in line)
    assert greeting["who"] == answer["who"] == "avatar"
    assert "what can you do" in question["text"].lower()
    assert 0 < greeting["at_s"] < question["at_s"] < answer["at_s"]
    assert 0.1 < answer["latency_s"] < 10
    (turn,) = server_messages(answered.visitor, "turn-latency")
    assert turn["turn"] == 1 and turn["user_stopped_s"] == 0
    steps = {step["name"]: step["at_s"] for step in turn["steps"]}
    assert list(steps) == ["ears", "mind", "voice", "face"]
    assert 0 < steps["ears"] < steps["mind"] < steps["voice"] < steps["face"] < 10
    assert steps == answer["steps"]
    assert answer["latency_s"] == pytest.approx(steps["face"], abs=0.3)


async def test_metrics_reach_the_user(answered):
    metrics = answered.visitor.received("metrics")
    measured = {m["processor"].split("#")[0] for d in metrics for m in d.get("ttfb", [])}
    assert {"Hibari", "PuppetVideoService"} <= measured


async def test_speaking_over_the_avatar_silences_voice_and_face(visitor):
    over_s = await ask(visitor, "What can you do?")
    await visitor.until(lambda: visitor.received("bot-started-speaking", over_s), "an answer", 20)
    visitor.microphone.say(
        say("I would rather talk about something else than all of that, my friend.")
    )
    await visitor.until(lambda: visitor.received("bot-interrupted", over_s), "the interruption", 10)
    cut_s = at(visitor, "bot-interrupted", over_s)
    await visitor.until(lambda: visitor.sights[-1].at_s > cut_s + 0.9, "pictures after it")
    late = between(visitor.sounds, cut_s + 0.4, cut_s + 0.9)
    assert not any(sound.loud for sound in late)
    assert max(openness(between(visitor.sights, cut_s + 0.4, cut_s + 0.9))) < 0.3


async def test_the_page_can_silence_the_avatar_and_the_transcript_ends_where_it_was_cut(
    brief_app, visitor
):
    asked_s = visitor.sounds[-1].at_s
    visitor.send("send-text", {"content": "What can you do?"})
    await visitor.until(lambda: len(visitor.told(asked_s)) > 5, "some words", 20)
    sent_s = visitor.sounds[-1].at_s
    visitor.send("client-message", {"t": "interrupt"})
    await visitor.until(lambda: visitor.received("bot-interrupted", sent_s), "silence", 10)
    cut_s = at(visitor, "bot-interrupted", sent_s)
    await visitor.until(lambda: visitor.sounds[-1].at_s > cut_s + 1.5, "a moment after it")
    assert not any(sound.loud for sound in between(visitor.sounds, cut_s + 0.4, cut_s + 1.5))
    answer = transcript(brief_app)[-1]
    assert answer["who"] == "avatar" and answer["interrupted"]
    told = [word for word, _ in visitor.told(asked_s)]
    kept = answer["text"].split()
    assert kept == told[: len(kept)] and len(told) - len(kept) <= 1
    (turn,) = server_messages(visitor, "turn-latency", asked_s)
    assert [step["name"] for step in turn["steps"]] == ["mind", "voice", "face"]


async def test_typed_text_is_answered_aloud(brief_app, visitor):
    start_s = visitor.sights[-1].at_s
    visitor.send("send-text", {"content": "Can you hear me?"})
    await visitor.until(lambda: visitor.received("bot-started-speaking", start_s), "a reply", 20)
    end_s = await visitor.hushed(at(visitor, "bot-started-speaking", start_s))
    said = lambda: [line for line in transcript(brief_app) if "who" in line]  # noqa: E731
    await until(lambda: len(said()) == 3)
    _, typed, answer = said()
    assert (typed["who"], typed["text"]) == ("user", "Can you hear me?")
    assert is_heard(answer["text"], pcm(between(visitor.sounds, start_s, end_s)))


async def test_several_conversations_run_side_by_side(brief_app):
    async with Visitor(brief_app.url) as one, Visitor(brief_app.url) as two:
        for visitor in (one, two):
            await visitor.until(
                lambda v=visitor: v.received("bot-stopped-speaking"), "the greeting", 40
            )
        over_s = await ask(one, "What can you do?")
        await one.until(lambda: one.received("bot-started-speaking", over_s), "an answer", 20)
        await one.until(lambda: one.sounds[-1].loud, "its sound", 20)
        assert not two.received("user-transcription")
        assert one.received("user-transcription")
