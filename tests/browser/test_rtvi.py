"""RTVI between page and Pipecat: its own models, and a bot that knows nothing of this project."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pipecat.processors.frameworks.rtvi import models as rtvi
from pydantic import BaseModel

from tests.browser import plain_bot
from tests.browser.conftest import Meet
from tests.browser.site import serving
from tests.browser.user import User
from tests.talk.app import App, running_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("meet"),
]

FLAGS = ("--size", "320x180", "--llm", "guide")
ROOT = Path(__file__).parents[2]
START_LIMIT_S = 60
NOW = "2026-01-01T00:00:00.000Z"
# A session of rtvi.js: `sent` is what it writes, `heard` what it tells the page.
READER = """async (url) => {
  const { Rtvi } = await import(url);
  window.sent = [];
  window.heard = [];
  const listener = new Proxy({}, {
    get: (_, name) => (detail) =>
      heard.push([name, JSON.parse(JSON.stringify(detail ?? null, (key, value) =>
        typeof value === "symbol" ? "symbol" : value))]),
  });
  window.rtvi = new Rtvi((message) => sent.push(message), listener);
}"""
COLLECT = """() => {
  window.said = [];
  window.told = [];
  document.addEventListener("transcript", ({ detail }) => said.push({ ...detail }));
  document.addEventListener("metrics", ({ detail }) => detail.type === "turn" && told.push(detail));
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """The server that has the page."""
    async with running_app(tmp_path_factory.mktemp("app"), *FLAGS) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def page(app: App, meet: Meet) -> AsyncIterator[User]:
    """A page with a session of rtvi.js."""
    async with meet(app.url) as user:
        await user.page.evaluate(READER, f"{app.url}/web/conversation/rtvi.js")
        yield user


async def read(user: User, *messages: BaseModel) -> list[tuple[str, Any]]:
    """What the page hears when Pipecat sends messages, as its RTVIProcessor puts them."""
    for message in messages:
        sent = message.model_dump(exclude_none=True)
        await user.page.evaluate("(text) => rtvi.read(JSON.parse(text))", json.dumps(sent))
    return [(name, detail) for name, detail in await user.page.evaluate("heard.splice(0)")]


async def written(user: User) -> list[rtvi.Message]:
    """What the page has sent, as Pipecat reads it."""
    return [
        rtvi.Message.model_validate(each) for each in await user.page.evaluate("sent.splice(0)")
    ]


def bot_ready() -> rtvi.BotReady:
    return rtvi.BotReady(id="1", data=rtvi.BotReadyData(version=rtvi.PROTOCOL_VERSION))


def output(text: str, **data: Any) -> rtvi.BotOutputMessage:
    data = {"text": text, "output_type": "sentence", **data}
    return rtvi.BotOutputMessage(data=rtvi.BotOutputMessageData(**data))


def progress(said: str, coming: str) -> rtvi.SpokenProgressData:
    return rtvi.SpokenProgressData(accumulated_text=said, remaining_text=coming)


def user_input(text: str, **data: Any) -> rtvi.UserInputMessage:
    data = {"input_type": "transcription", "timestamp": NOW, **data}
    return rtvi.UserInputMessage(data=rtvi.UserInputMessageData(text=text, **data))


def transcription(text: str, final: bool) -> rtvi.UserTranscriptionMessage:
    data = rtvi.UserTranscriptionMessageData(text=text, user_id="u", timestamp=NOW, final=final)
    return rtvi.UserTranscriptionMessage(data=data)


async def test_the_page_writes_what_pipecat_reads(page: User) -> None:
    said = await page.page.evaluate("(rtvi.hello(), rtvi.interrupt(), rtvi.say('Hello'))")
    hello, interrupt, text = await written(page)
    assert hello.type == "client-ready"
    ready = rtvi.ClientReadyData.model_validate(hello.data)
    assert ready.version == rtvi.PROTOCOL_VERSION
    assert interrupt.type == "client-message"
    assert rtvi.RawClientMessageData.model_validate(interrupt.data).t == "interrupt"
    assert (text.type, text.id) == ("send-text", said)
    assert rtvi.SendTextData.model_validate(text.data).content == "Hello"


async def test_nothing_is_told_before_the_bot_is_ready(page: User) -> None:
    assert await read(page, rtvi.BotStartedSpeakingMessage()) == []
    assert await read(page, bot_ready()) == [("ready", None), ("state", "speaking")]


async def test_who_speaks_and_who_thinks_is_told(page: User) -> None:
    await read(page, bot_ready())
    turn = (
        rtvi.UserStartedSpeakingMessage(),
        rtvi.UserStoppedSpeakingMessage(),
        rtvi.BotLLMStartedMessage(),
        rtvi.BotLLMStoppedMessage(),
        rtvi.BotStartedSpeakingMessage(),
        rtvi.BotInterruptedMessage(),
        rtvi.BotStoppedSpeakingMessage(),
    )
    told = [await read(page, message) for message in turn]
    states = [[detail for name, detail in each if name == "state"] for each in told]
    assert states == [
        ["listening"], ["thinking"], ["thinking"], [], ["speaking"], [], ["listening"]
    ]  # fmt: skip
    assert ("avatarCut", None) in told[5]


async def test_guesses_at_the_users_words_come_before_the_words(page: User) -> None:
    await read(page, bot_ready())
    heard = await read(page, user_input("Who", final=False), user_input("Who are you?", final=True))
    assert heard == [
        ("userSaid", {"text": "Who", "final": False}),
        ("userSaid", {"text": "Who are you?", "final": True}),
    ]
    assert await read(page, transcription("Who are you?", final=True)) == [], "said already"
    typed = user_input("Hi", final=True, input_type="chat", msg_id="m1")
    assert await read(page, typed) == [("userSaid", {"text": "Hi", "final": True, "id": "m1"})]


async def test_bots_without_user_input_are_understood(page: User) -> None:
    await read(page, bot_ready())
    heard = await read(page, transcription("Who", final=False), transcription("Who?", final=True))
    assert [detail for _, detail in heard] == [
        {"text": "Who", "final": False},
        {"text": "Who?", "final": True},
    ]


async def test_words_come_as_they_are_spoken(page: User) -> None:
    await read(page, bot_ready())
    spoken = {"segment_id": 7, "will_be_spoken": True}
    heard = await read(
        page,
        output("Hi you.", spoken_status="new", spoken_progress=progress("", "Hi you."), **spoken),
        output(
            "Hi you.", spoken_status="in-progress", spoken_progress=progress("Hi", "you."), **spoken
        ),
        output(
            "Hi you.", spoken_status="completed", spoken_progress=progress("Hi you.", ""), **spoken
        ),
    )
    said = [detail for name, detail in heard if name == "avatarSaid"]
    assert said == [
        {"segment": 7, "spoken": "", "coming": "Hi you.", "words": False},
        {"segment": 7, "spoken": "Hi", "coming": "you.", "words": True},
        {"segment": 7, "spoken": "Hi you.", "coming": "", "words": False},
    ]
    unspoken = output("x = 1", segment_id=8, will_be_spoken=False, spoken_status="new")
    [(_, code)] = await read(page, unspoken)
    assert (code["spoken"], code["coming"]) == ("x = 1", "")


async def test_bots_of_protocol_1_are_understood(page: User) -> None:
    await read(page, bot_ready())
    assert await read(page, output("Hello.", spoken=False)) == [], "not spoken yet"
    [(name, said)] = await read(page, output("Hello.", spoken=True))
    assert (name, said["spoken"], said["coming"]) == ("avatarSaid", "Hello.", "")
    word = rtvi.BotTTSTextMessage(data=rtvi.TextMessageData(text="Hello."))
    assert await read(page, word) == [], "said already"


async def test_bots_without_output_are_understood(page: User) -> None:
    await read(page, bot_ready())
    word = rtvi.BotTTSTextMessage(data=rtvi.TextMessageData(text="Hello"))
    [(name, said)] = await read(page, word)
    assert (name, said["spoken"]) == ("avatarSaid", "Hello")


async def test_errors_end_a_call_only_when_they_are_fatal(page: User) -> None:
    await read(page, bot_ready())
    bad = rtvi.Error(data=rtvi.ErrorData(error="No voice", fatal=False))
    assert await read(page, bad) == [("stumbled", "No voice")]
    worse = rtvi.Error(data=rtvi.ErrorData(error="No voice", fatal=True))
    ended = {"failed": True, "reason": "No voice", "kind": "bot"}
    assert await read(page, worse) == [("ended", ended)]


async def test_what_the_page_does_not_know_changes_nothing(page: User) -> None:
    await read(page, bot_ready())
    unknown = (
        rtvi.BotTTSStartedMessage(),
        rtvi.UserMuteStartedMessage(),
        rtvi.ServerMessage(data={"type": "weather", "text": "Rain"}),
        rtvi.ServerResponse(id="1", data=rtvi.RawServerResponseData(t="x")),
        rtvi.SystemLogMessage(data=rtvi.TextMessageData(text="log")),
    )
    assert await read(page, *unknown) == []


@asynccontextmanager
async def somebody_elses_bot() -> AsyncIterator[str]:
    """The address of a Pipecat bot with Pipecat's own runner."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", plain_bot.__name__,
        "-t", "webrtc", "--host", "127.0.0.1", "--port", str(port),
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _answers(url, process)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_LIMIT_S), aiohttp.ClientSession() as http:
        while True:
            assert process.returncode is None, "the bot ended early"
            try:
                async with http.get(f"{url}/status"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)


async def test_a_bot_of_somebody_else_is_talked_to(app: App, meet: Meet, silence: Path) -> None:
    async with somebody_elses_bot() as bot, serving() as site:
        site.show(app.url, f'<avatar-call server="{bot}"></avatar-call>')
        async with meet(site.url, silence) as user:
            page = user.page
            await page.evaluate(COLLECT)
            await page.click("#start")
            await user.state("speaking")
            await user.state("listening")
            await user.type("Who made you?")
            answers = page.locator("[data-role=avatar] .said:not(:empty)")
            await answers.nth(1).wait_for()
            assert await answers.all_inner_texts() == [plain_bot.ANSWER, plain_bot.ANSWER]
            assert await user.read("[data-role=user] .words") == plain_bot.QUESTION
            said = await user.watched("said")
            guesses = [each["interim"] for each in said if each["interim"]]
            assert tuple(guesses) == plain_bot.GUESSES
            turn, *_ = await user.watched("told")
            assert turn["exact"] is False
            assert "voice" in {step["name"] for step in turn["steps"]}
            await page.click("#end")
            await user.state("over")
