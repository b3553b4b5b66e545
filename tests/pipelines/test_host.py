"""The good host, on a real pipeline."""

import asyncio

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    TTSSpeakFrame,
    UserIdleTimeoutUpdateFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.frameworks.rtvi.frames import RTVIServerMessageFrame

from pipelines.host import Host
from pipelines.persona import Persona
from tests.standins.stage import Stage, running

PERSONA = Persona(greeting="Hello.", still_there="Are you there?", goodbye="Goodbye.")


@pytest.fixture
async def stage():
    async with running() as stage:
        yield stage


def host_of(stage: Stage, max_duration_s: float = 60) -> Host:
    return Host(stage.worker, PERSONA, max_duration_s, idle_s=30)


def spoken(stage: Stage) -> list[str]:
    return [frame.text for frame in stage.all(TTSSpeakFrame)]


async def test_the_greeting_waits_for_the_face(stage):
    host, visible = host_of(stage), asyncio.Event()
    host.user_came(visible)
    await stage.worker.flush_pipeline()
    assert not spoken(stage)
    visible.set()
    await stage.first(TTSSpeakFrame)
    assert spoken(stage) == ["Hello."]
    await host.close()


async def test_without_a_face_the_greeting_comes_at_once(stage):
    host = host_of(stage)
    host.user_came(None)
    await stage.first(TTSSpeakFrame)
    await host.close()


async def test_the_greeting_waits_until_it_can_be_heard(stage):
    host, visible = host_of(stage), asyncio.Event()
    host.user_came(visible)
    await host.sound(blocked=True)
    visible.set()
    await stage.worker.flush_pipeline()
    assert not spoken(stage)
    assert stage.all(UserIdleTimeoutUpdateFrame), "a page that nobody looks at ends"
    await host.sound(blocked=False)
    await stage.first(TTSSpeakFrame)
    assert spoken(stage) == ["Hello."]
    await host.close()


async def test_a_greeting_that_nobody_heard_is_said_again_once(stage):
    host = host_of(stage)
    host.user_came(None)
    await stage.first(TTSSpeakFrame)
    await host.microphone(muted=True)  # as with push-to-talk, from the beginning
    await host.sound(blocked=True)
    for _ in range(2):
        await host.sound(blocked=False)
    await stage.worker.flush_pipeline()
    assert spoken(stage) == ["Hello.", "Hello."]
    await host.close()


async def test_who_has_spoken_meanwhile_is_not_greeted_again(stage):
    host = host_of(stage)
    host.user_came(None)
    await stage.first(TTSSpeakFrame)
    await host.sound(blocked=True)
    host.user_spoke()
    await host.sound(blocked=False)
    await stage.worker.flush_pipeline()
    assert spoken(stage) == ["Hello."]
    await host.close()


async def test_a_user_who_comes_back_is_not_greeted_again(stage):
    host = host_of(stage)
    host.user_came(None)
    await stage.first(TTSSpeakFrame)
    host.user_came(None)
    await stage.worker.flush_pipeline()
    assert spoken(stage) == ["Hello."]
    await host.close()


async def test_a_silent_user_is_asked_again_only_after_having_spoken(stage):
    host = host_of(stage)
    await host.user_is_silent()
    host.user_spoke()
    await host.user_is_silent()
    await stage.worker.flush_pipeline()
    assert spoken(stage) == ["Are you there?", "Are you there?"]
    await host.close()


async def test_who_has_turned_the_microphone_off_is_not_silent(stage):
    host = host_of(stage)
    await host.microphone(muted=True)
    await host.user_is_silent()
    await stage.worker.flush_pipeline()
    assert not spoken(stage)
    await host.microphone(muted=False)
    await host.user_is_silent()
    await stage.first(TTSSpeakFrame)
    await host.close()


async def test_who_is_seen_to_have_the_microphone_off_is_not_silent(stage):
    host = host_of(stage)
    await host.user_is_silent(muted=True)
    counted = await stage.first(UserIdleTimeoutUpdateFrame)
    assert counted.timeout == 30 and not spoken(stage)
    await host.user_is_silent(muted=False)
    await stage.first(TTSSpeakFrame)
    await host.close()


async def test_a_second_silence_ends_politely_and_says_why(stage):
    host = host_of(stage)
    await host.user_is_silent()
    await host.user_is_silent()
    await stage.first(TTSSpeakFrame, lambda frame: frame.text == "Goodbye.")
    assert not stage.all(EndFrame), "it is spoken first"
    await stage.worker.queue_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)
    await stage.first(EndFrame)
    assert spoken(stage) == ["Are you there?", "Goodbye."]
    (why,) = stage.all(RTVIServerMessageFrame)
    assert why.data == {"type": "over", "reason": "silence"}


@pytest.mark.parametrize("presence", ["user_is_here", "user_typed"])
async def test_who_does_something_without_a_word_is_there(stage, presence):
    host = host_of(stage)
    await host.user_is_silent()
    await getattr(host, presence)()
    counted = await stage.first(UserIdleTimeoutUpdateFrame)
    assert counted.timeout == 30, "silence is counted anew"
    await stage.play(BotStartedSpeakingFrame())
    await host.user_is_here()
    await host.user_is_silent()
    await stage.worker.flush_pipeline()
    assert "Goodbye." not in spoken(stage)
    await host.close()


async def test_who_waits_for_an_answer_is_not_asked_whether_he_is_there(stage):
    host = host_of(stage)
    await host.user_typed()
    await host.user_is_silent()
    await stage.worker.flush_pipeline()
    assert spoken(stage) == []
    await host.user_is_silent()
    await stage.first(TTSSpeakFrame, lambda frame: frame.text == "Are you there?")
    await host.close()


async def test_who_answers_the_goodbye_stays():
    async with running() as stage:
        host = host_of(stage)
        host.end("silence")
        await stage.first(TTSSpeakFrame, lambda frame: frame.text == "Goodbye.")
        host.user_spoke()
        await stage.play(BotStoppedSpeakingFrame())
        await stage.worker.flush_pipeline()
        assert not stage.all(EndFrame)
        await host.close()


async def test_an_update_breaks_off_what_is_being_said_and_is_told():
    async with running() as stage:
        persona = Persona(updating="I am being updated.")
        host = Host(stage.worker, persona, max_duration_s=60, idle_s=30)
        await stage.worker.queue_frame(BotStartedSpeakingFrame(), FrameDirection.UPSTREAM)
        await stage.worker.flush_pipeline()
        updating = asyncio.create_task(host.update())
        await stage.first(InterruptionFrame)
        assert not spoken(stage), "not while it speaks"
        await stage.worker.queue_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)
        await stage.first(TTSSpeakFrame)
        assert not stage.all(EndFrame), "it is spoken first"
        await stage.worker.queue_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)
        await updating
        await stage.first(EndFrame)
        assert spoken(stage) == ["I am being updated."]
        (why,) = stage.all(RTVIServerMessageFrame)
        assert why.data == {"type": "over", "reason": "update"}


async def test_an_update_does_not_wait_for_what_is_thought_of():
    async with running() as stage:
        persona = Persona(updating="I am being updated.")
        host = Host(stage.worker, persona, max_duration_s=60, idle_s=30)
        updating = asyncio.create_task(host.update())
        await stage.first(TTSSpeakFrame)
        assert stage.all(InterruptionFrame), "a mind that thinks is interrupted"
        await stage.worker.queue_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)
        await updating
        await stage.first(EndFrame)


async def test_what_has_cost_enough_is_ended_with_a_word(stage):
    host = host_of(stage)
    host.spent("spend")
    await stage.first(TTSSpeakFrame, lambda frame: frame.text == PERSONA.spent)
    assert not stage.all(EndFrame), "it is spoken first"
    await stage.worker.queue_frame(BotStoppedSpeakingFrame(), FrameDirection.UPSTREAM)
    await stage.first(EndFrame)
    (why,) = stage.all(RTVIServerMessageFrame)
    assert why.data == {"type": "over", "reason": "spend"}


async def test_a_sign_of_life_is_given_until_the_conversation_is_over(stage):
    host, told = host_of(stage), asyncio.Queue()
    host.beat(told.put)
    alive = {"label": "rtvi-ai", "type": "server-message", "data": {"type": "alive"}}
    assert [await asyncio.wait_for(told.get(), 5) for _ in range(2)] == [alive, alive]
    await host.close()
    assert told.empty()


async def test_a_host_that_breaks_off_ends_the_conversation():
    async with running() as stage:
        host_of(stage).watch(lambda: 1 / 0 > 0)
        assert "the host broke off" in str((await stage.first(CancelFrame)).reason)


async def test_the_user_is_told_why_it_ended():
    async with running() as stage:
        persona = Persona(greeting="", goodbye="")
        Host(stage.worker, persona, max_duration_s=0.05, idle_s=30).user_came(None)
        message = await stage.first(RTVIServerMessageFrame)
        assert message.data == {"type": "over", "reason": "duration"}
        await stage.first(EndFrame)


async def test_a_place_nobody_comes_to_is_given_up():
    async with running() as stage:
        host_of(stage).expect_user(timeout_s=0.05)
        assert "nobody came" in str((await stage.first(CancelFrame)).reason)


async def test_a_place_that_is_gone_ends_the_conversation():
    async with running() as stage:
        host_of(stage).watch(lambda: False)
        assert "the room is gone" in str((await stage.first(CancelFrame)).reason)
