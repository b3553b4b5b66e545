"""One run with every key there is, all of which is searched for keys and tokens.

Vendors tell the key in their errors, as some do.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import aiohttp
import pytest
import pytest_asyncio

from bots.doctor import examine_part
from bots.server.passes import EVAL, LINK, Pass, Passes
from pipelines.parts import PARTS
from pipelines.settings import load_settings
from tests.collector import Collector, collecting, told
from tests.speech import say
from tests.standins.daily import Daily
from tests.standins.liveavatar import LiveAvatar
from tests.standins.loudness import voiced_s
from tests.standins.server import Server
from tests.talk.app import App, running_app, until
from tests.talk.test_cloud import Vendors, vendors
from tests.talk.visitor import Visitor

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.patient]

TOKEN = "fake-access-token-of-the-operator"
SAID = "Thank you."
NOWHERE = "ws://127.0.0.1:9"
OWN = {
    "AVATAR_ACCESS_TOKEN": TOKEN,
    "LIVEKIT_URL": NOWHERE,
    "LIVEKIT_API_KEY": "fake-livekit-key",
    "LIVEKIT_API_SECRET": "fake-livekit-secret-of-32-letters",
    "LIVEKIT_TOKEN": "fake-livekit-token",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-entry=fake-entry-to-the-collector",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
}
FLAGS = (
    *("--llm", "gemini,guide", "--avatar", "heygen", "--fallback", "none"),
    *("--persona", "brief.yaml", "--log-level", "TRACE"),
)
# What names another file, in a page, a style or a script.
NAMED = re.compile(r"""["'(]((?:web|\.{0,2})/[\w./-]+\.(?:js|css|svg|png|webp))["')]""")
SHOWN = ("/", "/view", "/health", "/ready")
ASKED = ("/api/lineup", "/status", "/metrics")
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
# The only places that tell a token, to whom it lets in: fields of the answers to these requests.
GIVEN = {"/api/visit": ("token",), "/start": ("token", "dailyToken", "returnKey")}


@dataclass
class Run:
    """What there was of a run: its secrets by name, and what could be read, by where it stood."""

    secrets: dict[str, str]
    places: dict[str, str] = field(default_factory=dict)
    session: str = ""

    def answered(self, path: str, whom: str, answer: Mapping[str, Any]) -> None:
        """Search an answer to somebody, but for what it gives them to come in."""
        given = {name: answer[name] for name in GIVEN[path] if name in answer}
        self.secrets |= {f"{whom}'s {name}": value for name, value in given.items()}
        self.places[f"{path} for {whom}"] = str({k: answer[k] for k in answer if k not in given})

    def leaks(self) -> list[str]:
        """Every secret that can be read, and where."""
        texts, secrets = self.places.items(), self.secrets.items()
        return [f"{name} in {place}" for place, text in texts for name, it in secrets if it in text]


@dataclass
class Stage:
    """Every vendor there is."""

    cloud: Vendors
    daily: Daily
    liveavatar: LiveAvatar
    collector: Collector

    @property
    def env(self) -> dict[str, str]:
        """What leads to them."""
        return {
            **OWN,
            **self.cloud.env,
            "DAILY_API_KEY": self.daily.key,
            "DAILY_BASE_URL": self.daily.api_url,
            "LIVEAVATAR_API_KEY": self.liveavatar.key,
            "LIVEAVATAR_BASE_URL": self.liveavatar.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url,
        }

    @property
    def servers(self) -> Iterable[Server]:
        """Those that are asked over HTTP."""
        return (
            self.cloud.deepgram,
            self.cloud.gemini,
            self.cloud.cartesia,
            self.daily,
            self.liveavatar,
        )

    def fail(self) -> None:
        """Have the mind fail, and the voice once, with a sentence that tells the key."""
        gemini, cartesia = self.cloud.gemini, self.cloud.cartesia
        asked = "/v1beta/models/*:streamGenerateContent"
        gemini.fail(asked, 503, f"{gemini.key} has to wait", lasts=True)
        cartesia.fail_speech(500, "Broken", f"{cartesia.key} cannot be served")

    def tokens(self) -> dict[str, str]:
        """What the vendors have given to let somebody in."""
        sessions = {f"session {s.id}": s.token for s in self.liveavatar.state.sessions}
        return sessions | {f"Daily's {token}": token for token in self.daily.state.tokens}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Running stand-ins."""
    async with vendors() as cloud, Daily() as daily, LiveAvatar(livekit_url=NOWHERE) as face:
        cloud.deepgram.state.script.clear()
        cloud.deepgram.state.say(SAID, 0.95 * voiced_s(say(SAID), 16_000))
        async with collecting() as collector:
            yield Stage(cloud, daily, face, collector)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def run(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A conversation and three rooms that cannot be entered, of a process that is killed."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "brief.yaml").write_text("name: Ada\ngreeting: Hello.\n")
    run = Run({name: value for name, value in stage.env.items() if "fake-" in value})
    run.secrets["OTEL_EXPORTER_OTLP_HEADERS"] = "fake-entry-to-the-collector"
    stage.fail()
    async with running_app(folder, *FLAGS, env=stage.env) as app:
        async with aiohttp.ClientSession(app.url) as http, asyncio.TaskGroup() as group:
            group.create_task(converse(app, http, run))
            for transport in ("daily", "livekit", "heygen"):
                group.create_task(enter(http, transport, run))
            group.create_task(call(http, run))
            group.create_task(diagnose(stage, run))
        await until(lambda: is_traced(stage.collector, run.session))
        # Daily's library would look for its room, which is nowhere, for another 20 s.
        app.process.kill()
    run.secrets |= stage.tokens()
    run.places |= {"what was printed and logged": app.output, **files(folder), **sent(stage)}
    return run


async def converse(app: App, http: aiohttp.ClientSession, run: Run) -> None:
    """Come by a link, say something, and look at everything that is shown."""
    link = run.secrets["link"] = Passes(TOKEN).sign(LINK, Pass(time.time() + 60))
    async with http.post("/api/visit", json={"link": link}) as response:
        answer = await response.json()
    run.answered("/api/visit", "visitor", answer)
    visitor = Visitor(app.url, token=answer["token"])
    async with visitor:
        run.answered("/start", "visitor over webrtc", visitor.started)
        run.session = visitor.started["sessionId"]
        spoken = "bot-stopped-speaking"
        await visitor.until(lambda: visitor.received(spoken), "the greeting", 30)
        asked_s = time.monotonic()
        visitor.microphone.say(say(SAID))
        await visitor.until(lambda: visitor.received(spoken, asked_s), "the answer", 40)
        await look(app.url, http, run)
    run.places["what the page was told"] = str(visitor.messages)
    (file,) = [file for file in app.transcripts() if run.session in file.name]
    await until(lambda: '"ended"' in file.read_text(), 30)


async def enter(http: aiohttp.ClientSession, transport: str, run: Run) -> None:
    """Ask for a room."""
    async with http.post("/start", json={"transport": transport}, headers=OPERATOR) as response:
        run.answered("/start", f"operator over {transport}", await response.json())


async def call(http: aiohttp.ClientSession, run: Run) -> None:
    """Come and go as a harness does, by an address that has the secret in its path."""
    secret = run.secrets["eval link"] = Passes(TOKEN).sign(EVAL, Pass(time.time() + 60))
    async with http.ws_connect(f"/ws/{secret}"):
        pass


async def look(home: str, http: aiohttp.ClientSession, run: Run) -> None:
    """Load the pages, every file that they name, and what is told of the server."""
    left = [*((path, {}) for path in SHOWN), *((path, OPERATOR) for path in ASKED)]
    while left:
        path, headers = left.pop()
        if path in run.places:
            continue
        async with http.get(path, headers=headers) as answer:
            assert answer.status == 200, path
            text = (await answer.read()).decode(errors="replace")
            run.places[path] = f"{dict(answer.headers)} {text}"
        named = [urljoin(f"{home}{path}", name) for name in NAMED.findall(text)]
        left += [(file.removeprefix(home), {}) for file in named if file.startswith(home)]


async def diagnose(stage: Stage, run: Run) -> None:
    """What the doctor finds at every vendor, one of which tells the key it does not like."""
    cartesia = stage.cloud.cartesia
    cartesia.fail("/voices", 401, f"{cartesia.key} is not known")
    settings = load_settings(**{name.lower(): value for name, value in stage.env.items()})
    async with aiohttp.ClientSession() as http:
        found = [await examine_part(row, settings, http) for row in PARTS if row.needs]
    run.places["avatar doctor"] = str(found)


def files(folder: Path) -> Mapping[str, str]:
    """All that was written: transcripts, the ledger, and which links were used."""
    written = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_text(errors="replace") for file in written}


def sent(stage: Stage) -> Mapping[str, str]:
    """The addresses that vendors were asked at, and the traces.

    LiveAvatar's WebSocket has an address with the session's token, which is LiveAvatar's own.
    """
    requests = [it for server in stage.servers for it in server.requests]
    urls = [f"{it.path}?{urlencode(it.query)}" for it in requests if it.path != "/v1/lite"]
    return {"addresses": "\n".join(urls), "traces": str(stage.collector.batches)}


def is_traced(collector: Collector, session: str) -> bool:
    """Whether the whole of a conversation has been sent."""
    return any(span.name == "conversation" for span in collector.trace(session))


async def test_no_key_and_no_token_is_told_anywhere(run: Run):
    assert run.leaks() == []
    log = run.places["what was printed and logged"]
    assert "••• has to wait" in log and "••• cannot be served" in log
    rooms = {"operator over livekit's token", "operator over daily's dailyToken"}
    assert {"link", "visitor's token", *rooms} <= set(run.secrets)
    assert {"avatar doctor", "traces", "/metrics", "ledger/open.jsonl"} <= set(run.places)
    assert sum(place.endswith(".js") for place in run.places) > 20


async def test_a_trace_tells_what_ears_minds_and_voices_did(run: Run, stage: Stage):
    spans = [(span.name, told(span)) for span in stage.collector.trace(run.session)]
    parts = {(name, about.get("gen_ai.provider.name")) for name, about in spans}
    assert parts >= {("stt", "fluxears"), ("llm", "gemini"), ("llm", "guide"), ("tts", "hibari")}
    assert {"conversation", "turn"} <= {name for name, _ in spans}
    assert SAID in [about.get("transcript") for _, about in spans]
    (answer,) = {about["output"] for _, about in spans if "output" in about}
    assert answer in [about.get("text") for _, about in spans]
