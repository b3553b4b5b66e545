"""Every state and every failure, reached for real and photographed into artefacts/page/.

Each is taken on a phone and at a desk, light and dark. What can be told without eyes is told here:
the state holds while the pictures are taken, and nothing large is black.
"""

import signal
import wave
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from sandbox import LiveKit
from tests.browser.conftest import RATE, Meet
from tests.browser.full import full_room
from tests.browser.held import held_offer, held_question
from tests.browser.looks import DESK, PHONE, Look
from tests.browser.relay import network
from tests.browser.sound import SoundCard
from tests.browser.user import User
from tests.rooms import staged
from tests.standins.ollama import Ollama
from tests.standins.replies import Reply
from tests.talk.app import App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("meet"),
    pytest.mark.timeout(400),
]

LOOKS = (*PHONE, *DESK)
# For what does not last.
BRIEF_LOOKS = (PHONE[0], DESK[1])
ALBUM = Path(__file__).parents[2] / "artefacts" / "page"
BLACK = 10  # of 255
FACE = "#stage[data-face=on]"
CALL = "document.querySelector('avatar-call')"
LOST_LIMIT_S = 45
ANSWER = "[data-role=user] + [data-role=avatar] .said:not(:empty)"
LAST_WORDS = "inside('captions').lastElementChild.querySelector('.words')"
PERSONA = """
name: Mira
greeting: >-
  Hello, I'm Mira. I can tell you how this avatar works, what it is made of, and what it costs.
  I hear you with Moonshine, I think for myself, and I speak with Hibari, all of it on this machine,
  and nothing of what you say ever leaves it. My face is drawn twenty-five times a second, and my
  lips know which sound comes next. You may interrupt me whenever you like, I never take offence.
  What would you like to know first?
avatar: {puppet: mira}
"""
REPLIES = (
    Reply("Gladly! First I listen until you are done. Then I think.", delay_s=12),
    Reply(
        "A puppet, drawn on the processor. Every sound has a shape of the mouth, and I draw the "
        "shapes one after another, together with a blink now and then and a nod at the right "
        "moment. The picture and the sound leave together, so my lips are never late. That is "
        "all there is to it, and I am rather proud of it. Ask me about my ears next, they are "
        "quite something, or about my voice, which was recorded by somebody called Joe."
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """A server whose avatar has much to say, and thinks long about its first answer."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "long.yaml").write_text(PERSONA)
    flags = ("--size", "960x540", "--persona", "long.yaml", "--llm", "ollama")
    async with Ollama(replies=REPLIES) as mind:
        async with running_app(folder, *flags, env={"OLLAMA_BASE_URL": mind.openai_url}) as app:
            yield app


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone in a room where nobody speaks: it hears a hum and a hiss, but is not dead."""
    noise = np.random.default_rng(1).normal(0, 0.01, 10 * RATE)
    hum = 0.01 * np.sin(2 * np.pi * 100 * np.arange(10 * RATE) / RATE)
    path = tmp_path_factory.mktemp("microphone") / "room.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((32767 * (noise + hum)).astype("<i2").tobytes())
    return path


class Album:
    """Takes pictures of a page in every look."""

    def __init__(self, user: User) -> None:
        self._user = user

    async def take(self, name: str, *states: str, looks: Sequence[Look] = LOOKS) -> None:
        """Photograph the page, which stays in one of `states` meanwhile."""
        await self._user.state(*states)
        for look in looks:
            path = ALBUM / f"{name}-{look.name}.png"
            await look.put_on(self._user.page)
            await self._user.page.screenshot(path=path)
            assert await self._user.page.get_attribute("avatar-call", "data-state") in states
            assert _black_share(path) < 0.02, f"{path} has a black part"


def _black_share(path: Path) -> float:
    """How much of a picture is black."""
    picture = cv2.imread(str(path))
    assert picture is not None
    return float(np.mean(picture.max(axis=2) < BLACK))


async def test_a_conversation(app: App, meet: Meet, room: Path) -> None:
    async with meet(app.url, room) as user:
        album = Album(user)
        await album.take("01-idle", "idle")
        async with held_question(user.page) as answer, held_offer(user.page) as send:
            await user.page.click("#start")
            await album.take("02-microphone", "microphone")
            await answer()
            await album.take("03-connecting", "connecting")
            await send()
        await user.page.wait_for_selector(FACE)
        await user.page.wait_for_selector("[data-role=avatar] .said:not(:empty)")
        await album.take("04-greeting", "speaking")
        await user.type("How do you work?")
        await user.page.wait_for_selector(".cut:visible")
        await album.take("05-cut-off-and-thinking", "thinking")
        await user.page.wait_for_selector(ANSWER)
        await user.state("listening")
        await album.take("06-listening", "listening")
        await user.type("And your face?")
        await user.state("speaking")
        answers = "[data-role=avatar]:last-child .said:has-text('mouth')"
        await user.page.wait_for_selector(answers)
        await album.take("07-speaking", "speaking", looks=(DESK[0], *PHONE))
        await user.page.click("#speed")
        await user.page.wait_for_selector("#waterfall .turn:nth-of-type(2)", state="attached")
        await album.take("08-speed", "speaking", "listening")
        await user.page.click("#speed-close")
        await user.page.click("#devices")
        await album.take("09-devices", "speaking", "listening")
        await user.page.click("#devices-close")
        await user.page.click("#end")
        await album.take("10-over", "over")
        assert not user.complaints


async def test_a_spoken_question_to_the_guide(tmp_path: Path, meet: Meet, question: Path) -> None:
    flags = ("--size", "1280x720", "--llm", "guide")
    async with running_app(tmp_path, *flags) as app, meet(app.url, question) as user:
        album = Album(user)
        await album.take("13-guide-before", "idle")
        await user.page.click("#start")
        await user.page.wait_for_selector(ANSWER)
        await user.until(f"{LAST_WORDS}.innerText.split(' ').length > 12")
        await album.take("14-guide-speaking", "speaking", looks=(DESK[0], *PHONE))
        await user.state("listening")
        await user.type("What does it cost?")
        await user.page.click("#speed")
        await user.page.wait_for_selector("#waterfall .turn:nth-of-type(2)", state="attached")
        await album.take("15-guide-speed", "speaking", "listening")
        await user.state("listening")
        await user.page.click("#end")
        await album.take("16-guide-over", "over")


async def test_the_button_that_is_held_to_talk(app: App, meet: Meet, room: Path) -> None:
    async with meet(app.url, room) as user:
        await user.page.evaluate(f"{CALL}.pushToTalk = true")
        await user.page.click("#start:enabled")
        await user.page.wait_for_selector(FACE)
        await user.state("speaking")
        await user.page.click("#interrupt")
        await user.state("listening")
        await Album(user).take("11-push-to-talk", "listening")
        await user.page.focus("#hold")
        await user.page.keyboard.down("Space")
        await user.page.wait_for_selector("#hold[aria-pressed=true]")
        await Album(user).take("12-push-to-talk-held", "listening")
        await user.page.keyboard.up("Space")


async def test_a_microphone_that_is_refused(app: App, meet: Meet) -> None:
    async with meet(app.url) as user:
        await user.page.click("#start")
        await Album(user).take("20-microphone-refused", "failed")
        assert await user.page.is_visible("#go-on-typing")


async def test_a_machine_without_a_microphone(app: App, meet: Meet, card: SoundCard) -> None:
    async with meet(app.url, card) as user:
        await user.page.click("#start")
        await Album(user).take("21-no-microphone", "failed")
        assert "No microphone was found" in await user.read("#reason")


async def test_a_microphone_that_is_pulled_out(app: App, meet: Meet, card: SoundCard) -> None:
    await card.plug_microphone("Headset")
    async with meet(app.url, card) as user:
        await user.begin_at_once()
        await user.choose_microphone("Headset")
        await card.unplug("Headset")
        await user.page.evaluate("navigator.mediaDevices.enumerateDevices()")
        await user.page.wait_for_selector("#notice.shown")
        await Album(user).take("28-microphone-pulled-out", "listening")
        assert "microphone is gone" in await user.read("#notice-words")


async def test_a_microphone_that_hears_nothing(app: App, meet: Meet, silence: Path) -> None:
    async with meet(app.url, silence) as user:
        await user.begin_at_once()
        await user.page.wait_for_selector("#notice.shown")
        await Album(user).take("29-not-heard", "listening")
        assert "can't hear you" in await user.read("#notice-words")


async def test_a_room_that_is_full(app: App, livekit: LiveKit, meet: Meet) -> None:
    async with full_room(livekit) as room:
        async with meet(f"{app.url}/view#{room.link}", ready="#again") as late:
            await Album(late).take("30-room-full", "failed")
            assert "It may be full" in await late.read("#reason")


async def test_a_network_that_is_cut_for_a_while(app: App, meet: Meet, room: Path) -> None:
    async with meet(app.url, room) as user, network(user.page) as way:
        await user.page.click("#start")
        await user.page.wait_for_selector(FACE)
        await user.read("[data-role=avatar] .words")
        way.cut()
        await Album(user).take("22-network-cut", "reconnecting", looks=BRIEF_LOOKS)
        await way.restore()
        await user.page.wait_for_selector(FACE)
        await Album(user).take("23-taken-up-again", "listening", "speaking")


async def test_a_server_that_dies_and_comes_back(tmp_path: Path, meet: Meet, room: Path) -> None:
    flags = ("--size", "640x360", "--llm", "guide")
    async with running_app(tmp_path, *flags) as app, meet(app.url, room) as user:
        await user.page.click("#start")
        await user.page.wait_for_selector(FACE)
        await user.read("[data-role=avatar] .words")
        app.process.kill()
        await app.process.wait()
        await Album(user).take("24-server-killed", "reconnecting")
        port = app.url.rpartition(":")[2]
        async with running_app(tmp_path, *flags, "--port", port) as again:
            await user.state("failed", limit_s=LOST_LIMIT_S)
            assert "has ended meanwhile" in await user.read("#reason")
            await Album(user).take("25-server-restarted", "failed")
            await user.page.click("#again")
            await user.page.wait_for_selector(FACE)
            await user.read("[data-role=avatar] .words")
            again.process.send_signal(signal.SIGTERM)
            await Album(user).take("26-bot-ended", "over", "failed")


async def test_a_server_that_does_not_come_back(tmp_path: Path, meet: Meet, room: Path) -> None:
    flags = ("--size", "640x360", "--llm", "guide")
    async with running_app(tmp_path, *flags) as app, meet(app.url, room) as user:
        await user.page.click("#start")
        await user.page.wait_for_selector(FACE)
        await user.read("[data-role=avatar] .words")
        app.process.kill()
        await app.process.wait()
        await user.state("failed", limit_s=LOST_LIMIT_S)
        await Album(user).take("31-server-gone", "failed")
        await user.page.click("#again")
        await user.page.wait_for_selector("#reason:has-text('cannot be reached')")
        await Album(user).take("32-server-not-there", "failed")


async def test_a_face_that_is_lost_while_the_voice_goes_on(
    livekit: LiveKit, tmp_path: Path, meet: Meet, room: Path
) -> None:
    faults = ["speak:close-ws after=2"]
    async with staged(livekit, tmp_path, "--avatar", "heygen", faults=faults) as (app, _):
        async with meet(app.url, room) as user:
            await user.page.click("#start")
            await user.page.wait_for_selector(FACE)
            await user.read("[data-role=avatar] .words")
            await user.state("listening")
            await user.type("What can you do?")
            await user.page.wait_for_selector("#notice.shown")
            await user.page.wait_for_selector("#stage[data-face=off]")
            await Album(user).take("27-face-lost", "thinking", "speaking", "listening")
            await user.page.wait_for_selector(ANSWER)
