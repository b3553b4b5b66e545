"""Whole conversations with local parts: real speech in at real pace, sound and pictures out."""

import asyncio
import json
import re

import numpy as np
import pytest
import pytest_asyncio

from tests.speech import differences_s, hear, heard_words, say
from tests.talk.app import running_app
from tests.talk.mouth import gauge
from tests.talk.visitor import RATE, Sight, Sound, Visitor

SIZE = (640, 360)
# aiortc gives a packet of 20 ms out when the fourth one after it has come.
RECEIVER_HOLDS_S = 0.08
PERSONA = "name: Theo\ngreeting: You can talk to me.\navatar: {puppet: theo}\n"
FLAGS = ("--size", "640x360", "--llm", "guide")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory):
    """One server for the conversations of this file."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "brief.yaml").write_text(PERSONA)
    async with running_app(folder, *FLAGS, "--persona", "brief.yaml") as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(app):
    """A user who has been greeted."""
    async with Visitor(app.url) as visitor:
        await visitor.hushed(0)
        yield visitor


pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_the_greeting_comes_when_the_face_can_be_seen(app):
    async with Visitor(app.url) as visitor:
        await visitor.until(lambda: visitor.received("bot-stopped-speaking"), "the greeting", 30)
        first_sound = next(sound.at_s for sound in visitor.sounds if sound.loud)
        assert visitor.sights[0].at_s < first_sound
        heard = hear(pcm(visitor.sounds))
    assert "talk to me" in heard


async def test_a_spoken_question_is_answered_in_sound_and_words(app, visitor):
    over_s = await ask(visitor, "What can you do?")
    end_s = await visitor.hushed(over_s)
    asked = visitor.received("user-transcription")
    assert re.search("what can you do", asked[-1]["text"].lower())
    spoken = " ".join(message["text"] for message in visitor.received("bot-transcription", over_s))
    words = set(re.findall(r"[a-z]{4,}", spoken.lower()))
    heard = set(hear(pcm(between(visitor.sounds, over_s, end_s))).split())
    assert len(words & heard) > len(words) / 2, (spoken, heard)


async def test_captions_show_each_word_when_it_is_heard(visitor):
    over_s = await ask(visitor, "What can you do?")
    end_s = await visitor.hushed(over_s)
    told = visitor.told(over_s)
    heard = spoken_words(between(visitor.sounds, over_s, end_s + 0.5))
    late_s = np.array(differences_s(told, heard))
    assert len(told) > 15 and len(late_s) > 0.6 * len(told), (told, heard)
    assert abs(np.median(late_s)) < 0.15, late_s
    assert np.mean(np.abs(late_s) < 0.25) >= 0.9, late_s


async def test_pictures_come_at_25_a_second_stamped_with_real_time(visitor):
    start = visitor.sights[-1].at_s
    await visitor.until(lambda: visitor.sights[-1].at_s > start + 4, "four seconds of pictures")
    seen = between(visitor.sights, start, start + 4)
    took_s = seen[-1].at_s - seen[0].at_s
    assert (len(seen) - 1) / took_s == pytest.approx(25, abs=1.5)
    assert (seen[-1].rtp_s - seen[0].rtp_s) / took_s == pytest.approx(1, abs=0.03)
    assert seen[0].picture.shape == (SIZE[1], SIZE[0])


async def test_the_mouth_is_open_while_speaking_and_shut_otherwise(visitor):
    over_s = await ask(visitor, "What can you do?")
    await visitor.until(lambda: visitor.received("bot-started-speaking", over_s), "an answer", 20)
    start_s = at(visitor, "bot-started-speaking", over_s)
    end_s = await visitor.hushed(over_s)
    await visitor.until(lambda: visitor.sights[-1].at_s > end_s + 1.5, "pictures after the answer")
    quiet = openness(between(visitor.sights, over_s - 0.5, start_s - 0.2))
    speaking = openness(between(visitor.sights, start_s, end_s - 0.3))
    after = openness(between(visitor.sights, end_s + 0.5, end_s + 1.5))
    assert np.mean(np.array(speaking) > 0.3) > 0.1
    assert max(speaking) > 0.6
    assert np.mean(quiet + after) < 0.1
    assert max(quiet + after) < 0.3


async def test_speaking_over_the_avatar_silences_voice_and_face(visitor):
    over_s = await ask(visitor, "What can you do?")
    await visitor.until(lambda: visitor.received("bot-started-speaking", over_s), "an answer", 20)
    visitor.microphone.say(say("Stop, stop, stop. Please be quiet for a moment, my friend."))
    await visitor.until(lambda: visitor.received("bot-interrupted", over_s), "the interruption", 10)
    cut_s = at(visitor, "bot-interrupted", over_s)
    await visitor.until(lambda: visitor.sights[-1].at_s > cut_s + 0.9, "pictures after it")
    late = between(visitor.sounds, cut_s + 0.4, cut_s + 0.9)
    assert not any(sound.loud for sound in late)
    assert max(openness(between(visitor.sights, cut_s + 0.4, cut_s + 0.9))) < 0.3


async def test_the_page_can_silence_the_avatar_and_the_transcript_ends_where_it_was_cut(
    app, visitor
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
    answer = transcript(app)[-1]
    assert answer["who"] == "avatar" and answer["interrupted"]
    told = [word for word, _ in visitor.told(asked_s)]
    kept = answer["text"].split()
    assert kept == told[: len(kept)] and len(told) - len(kept) <= 1
    (turn,) = server_messages(visitor, "turn-latency", asked_s)
    assert [step["name"] for step in turn["steps"]] == ["mind", "voice", "face"]


async def test_typed_text_is_answered_aloud(app, visitor):
    start_s = visitor.sights[-1].at_s
    visitor.send("send-text", {"content": "How do I add a Deepgram key?"})
    await visitor.until(lambda: visitor.received("bot-started-speaking", start_s), "a reply", 20)
    end_s = await visitor.hushed(at(visitor, "bot-started-speaking", start_s))
    assert any(sound.loud for sound in between(visitor.sounds, start_s, end_s))
    lines = transcript(app)
    typed = [line for line in lines if line.get("text") == "How do I add a Deepgram key?"]
    assert [line["who"] for line in typed] == ["user"]


async def test_the_transcript_says_who_what_when_and_how_fast(app, visitor):
    over_s = await ask(visitor, "What can you do?")
    await visitor.hushed(over_s)
    await visitor.until(lambda: visitor.sights[-1].at_s > over_s + 1, "a moment")
    lines = transcript(app)
    assert lines[0]["event"] == "started" and lines[0]["lineup"]["tts"] == "piper"
    greeting, question, answer = (line for line in lines if "who" in line)
    assert greeting["who"] == answer["who"] == "avatar"
    assert "what can you do" in question["text"].lower()
    assert 0 < greeting["at_s"] < question["at_s"] < answer["at_s"]
    assert 0.1 < answer["latency_s"] < 10
    (turn,) = server_messages(visitor, "turn-latency")
    assert turn["turn"] == 1 and turn["user_stopped_s"] == 0
    steps = {step["name"]: step["at_s"] for step in turn["steps"]}
    assert list(steps) == ["ears", "mind", "voice", "face"]
    assert 0 < steps["ears"] < steps["mind"] < steps["voice"] < steps["face"] < 10
    assert steps == answer["steps"]
    assert answer["latency_s"] == pytest.approx(steps["face"], abs=0.3)


async def test_several_conversations_run_side_by_side(app):
    async with Visitor(app.url) as one, Visitor(app.url) as two:
        for visitor in (one, two):
            await visitor.until(
                lambda v=visitor: v.received("bot-stopped-speaking"), "the greeting", 40
            )
        over_s = await ask(one, "What can you do?")
        await one.hushed(over_s)
        assert not two.received("user-transcription")
        assert one.received("user-transcription")


async def test_metrics_reach_the_user(visitor):
    over_s = await ask(visitor, "What can you do?")
    await visitor.hushed(over_s)
    measured = {
        m["processor"].split("#")[0] for d in visitor.received("metrics") for m in d.get("ttfb", [])
    }
    assert {"Piper", "PuppetVideoService"} <= measured
