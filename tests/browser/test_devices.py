"""Microphones and speakers that are chosen, remembered, plugged in and pulled out."""

import pytest

from tests.browser.conftest import RATE, Meet
from tests.browser.sound import SoundCard
from tests.browser.user import User
from tests.speech import say
from tests.talk.app import App

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.drawn(2),
]

FACE = "#stage[data-face=on]"
LOUD = 1_000  # of 32767
# Until it is answered, what the user said may be written down in part.
ANSWER = "[data-role=user] + [data-role=avatar] .words"
USED = "watched.tracks.some((track) => track.readyState === 'live' && track.label === '{}')"
# Without udev Chromium looks for what is plugged in only when it is asked.
LOOK = "navigator.mediaDevices.enumerateDevices()"


async def choices(user: User, kind: str) -> list[str]:
    """What the sheet offers, beside the system's own device."""
    return await user.page.locator(f"#{kind} option:not(:first-child)").all_inner_texts()


@pytest.mark.realtime
async def test_the_microphone_that_was_chosen_is_heard_remembered_and_missed(
    brief_app: App, meet: Meet, card: SoundCard
) -> None:
    await card.plug_microphone("Desk")
    await card.plug_microphone("Headset")
    async with meet(brief_app.url, card) as user:
        page = user.page
        await user.be_greeted()
        assert await user.watched("watched.wishes[0].echoCancellation") is True
        await page.click("#devices")
        await page.wait_for_selector("#microphones option:nth-child(3)", state="attached")
        assert sorted(await choices(user, "microphones")) == ["Desk", "Headset"]
        await page.select_option("#microphones", label="Headset")
        await user.until(USED.format("Headset"))
        assert await user.watched("watched.tracks[0].readyState") == "ended"
        await page.click("#devices-close")
        await card.speak("Headset", say("How do you work?", RATE) + bytes(2 * RATE))
        await user.read(ANSWER)
        assert "work" in await user.read("[data-role=user] .words")

        await user.load_anew()
        await user.be_greeted()
        assert await user.watched(USED.format("Headset"))
        await card.unplug("Headset")
        await page.evaluate(LOOK)
        assert "microphone is gone" in await user.read("#notice-words")
        await page.click("#notice-action")
        await page.wait_for_selector("#microphones option:nth-child(2)", state="attached")
        assert await choices(user, "microphones") == ["Desk"]
        await page.select_option("#microphones", label="Desk")
        await user.until(USED.format("Desk"))
        assert await page.inner_text("#notice-words") == ""

        await card.plug_microphone("Camera")
        await page.evaluate(LOOK)
        await page.wait_for_selector("#microphones option:nth-child(3)", state="attached")
        assert sorted(await choices(user, "microphones")) == ["Camera", "Desk"]
        assert not user.complaints


@pytest.mark.realtime
async def test_a_microphone_that_is_gone_since_it_was_chosen_leaves_the_systems_own(
    brief_app: App, meet: Meet, card: SoundCard
) -> None:
    await card.plug_microphone("Desk")
    await card.plug_microphone("Headset")
    async with meet(brief_app.url, card) as user:
        await user.be_greeted()
        await user.choose_microphone("Headset")
        await card.unplug("Headset")
        await user.load_anew()
        await user.be_greeted()
        assert await user.watched(USED.format("Default"))
        assert await user.page.inner_text("#notice-words") == ""


async def test_the_speaker_that_was_chosen_is_remembered_and_sounds(
    brief_app: App, meet: Meet, card: SoundCard
) -> None:
    await card.plug_microphone("Desk")
    await card.plug_speaker("Headphones")
    await card.plug_speaker("Loudspeaker")
    async with meet(brief_app.url, card) as user:
        page = user.page
        await user.be_greeted()
        await page.click("#devices")
        await page.wait_for_selector("#speakers option:nth-child(3)", state="attached")
        assert {"Headphones", "Loudspeaker"} <= set(await choices(user, "speakers"))
        await page.select_option("#speakers", label="Headphones")
        await page.click("#devices-close")
        await user.type("What can you do?")
        await user.state("speaking")
        assert await card.loudest("Headphones", duration_s=2) > LOUD
        assert await card.loudest("Loudspeaker", duration_s=0.5) == 0

        await user.load_anew()
        await page.click("#start:enabled")
        await user.state("speaking")
        assert await card.loudest("Headphones", duration_s=2) > LOUD


async def test_a_machine_without_a_microphone_is_told_and_typed_to(
    brief_app: App, meet: Meet, card: SoundCard
) -> None:
    async with meet(brief_app.url, card) as user:
        await user.page.click("#start")
        await user.state("failed")
        assert "No microphone was found" in await user.read("#reason")
        await card.plug_microphone("Desk")
        await user.page.click("#again")
        await user.page.wait_for_selector(FACE)
        assert not user.complaints
