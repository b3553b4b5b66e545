"""The page's first paint and CPU time, or its memory: `python -m benchmarks.page [--minutes 10]`.

Our page, Pipecat's prebuilt client and a bare `<video>` hold the same conversation with the same
server, in turn, each in a Chromium of its own in a window of 1280 x 800; in each round another one
is the first. CPU time is that of all processes of that Chromium, in per cent of one core, over 30 s
from the first word: the avatar speaks for the first part and listens for the rest. The bare page
makes the same offer and shows the picture in a box of the same size as ours. Chromium has no GPU
here: it paints on the CPU.

The prebuilt client opens its microphone through daily-js, which loads its code from Daily's
servers: daily.js takes that part's place, so its share of the CPU is missing here.

With `--minutes` one conversation of that length is held on our page instead, with a typed question
every 12 s; once a minute Chromium's garbage collector runs, and what is left is noted.
"""

import argparse
import asyncio
import contextlib
import shutil
import tempfile
import time
import uuid
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import BrowserType, CDPSession, Page, async_playwright

from benchmarks.machine import PROC, TICKS
from benchmarks.report import Report, options_parser
from benchmarks.turns import QUESTIONS
from tests.browser.user import FAKE_DEVICES, FLAGS, LIMIT_MS
from tests.serving import served
from tests.talk.app import App, running_app

BARE = Path(__file__).with_name("bare.html")
DAILY = Path(__file__).with_name("daily.js")
RATE = 48_000
PERSONA = """
name: Mira
greeting: >-
  Hello! I am Mira. I will now speak for a short while, so that it can be measured what it costs to
  look at me and to listen to me. Then I am going to be quiet, and to listen for the rest of it.
avatar: {puppet: mira}
"""
LOCAL = ("--llm", "guide", "--persona", "brief.yaml", "--idle-s", "600")
MEASURED_S = 30
WARM_UP_S = 2
QUESTION_PERIOD_S = 12
# The first sound and picture that are there, wherever a page keeps its elements.
PLAYING = """new Promise((done, fail) => {
  setTimeout(() => fail(new Error("no picture came")), 60_000);
  const all = (root) => [
    ...root.querySelectorAll("video, audio"),
    ...[...root.querySelectorAll("*")].flatMap(({ shadowRoot: r }) => (r ? all(r) : [])),
  ];
  const look = () => {
    const video = all(document).find((each) => each.videoWidth > 0 && each.currentTime > 0.2);
    if (video) done();
    else setTimeout(look, 50);
  };
  look();
})"""
PAINTS = """new Promise((done) => {
  const look = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const [first] = performance.getEntriesByName("first-paint");
    if (paint) done({ first: first.startTime, content: paint.startTime });
    else setTimeout(look, 20);
  };
  look();
})"""
BOX = """(() => {
  const stage = document.querySelector("avatar-call").shadowRoot.getElementById("stage");
  const { left, top, width, height } = stage.getBoundingClientRect();
  return [left, top, width, height].join(",");
})()"""


@dataclass(frozen=True)
class Subject:
    """A page to be measured, the button that begins its call, and what is there once it works."""

    name: str
    url: str
    button: str
    ready: str = "body"


@asynccontextmanager
async def browser_page(chromium: BrowserType, sound: Path) -> AsyncIterator[tuple[Page, str]]:
    """A page in a Chromium of its own that hears a file, and the word that marks its processes."""
    mark = f"--measured={uuid.uuid4().hex}"
    ears = [
        FAKE_DEVICES,
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]
    program = shutil.which("chromium")
    browser = await chromium.launch(executable_path=program, args=[*FLAGS, *ears, mark])
    try:
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(LIMIT_MS)
        yield page, mark
    finally:
        await browser.close()


def cpu_s(mark: str) -> dict[str, float]:
    """CPU seconds of a marked Chromium so far, by kind of process."""
    parents, words = _processes()
    found = {pid for pid, line in words.items() if mark in line}
    family: set[int] = set()
    while found:
        family |= found
        found = {pid for pid, parent in parents.items() if parent in family} - family
    used: dict[str, float] = {}
    for pid in family:
        with contextlib.suppress(OSError):
            kind = _kind(words.get(pid, ""))
            used[kind] = used.get(kind, 0) + _ticks(pid) / TICKS
    return used


def _processes() -> tuple[dict[int, int], dict[int, str]]:
    parents, words = {}, {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            pid = int(folder.name)
            words[pid] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            parents[pid] = int(_stat(pid)[1])
    return parents, words


def _stat(pid: int) -> list[str]:
    """The words of /proc/PID/stat from the state on: parent second; CPU ticks are 11 and 12."""
    return (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()


def _ticks(pid: int) -> int:
    words = _stat(pid)
    return int(words[11]) + int(words[12])


def _kind(line: str) -> str:
    kind = line.partition("--type=")[2].split(" ")[0] or "browser"
    return line.partition("--utility-sub-type=")[2].split(" ")[0] or kind


@asynccontextmanager
async def bare_site() -> AsyncIterator[str]:
    """The bare page, on a port of its own."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=BARE.read_text(), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    async with served(app) as port:
        yield f"http://127.0.0.1:{port}/"


class Bench:
    """The figures of all pages."""

    def __init__(self, chromium: BrowserType, sound: Path) -> None:
        self._chromium = chromium
        self._sound = sound
        self.paint_ms: dict[str, list[float]] = {}
        self.content_ms: dict[str, list[float]] = {}
        self.cpu_pct: dict[str, list[float]] = {}
        self.kinds_pct: dict[str, dict[str, list[float]]] = {}

    async def box(self, url: str) -> str:
        """Where our page shows the face in a call: left, top, width and height in CSS pixels."""
        async with browser_page(self._chromium, self._sound) as (page, _):
            await page.goto(url)
            await page.click("#start:enabled")
            await page.evaluate(PLAYING)
            return await page.evaluate(BOX)

    async def paint(self, subject: Subject, times: int) -> None:
        """Open a page several times, each time without a cache."""
        async with browser_page(self._chromium, self._sound) as (page, _):
            browser = page.context.browser
            assert browser
            for _ in range(times):
                context = await browser.new_context(viewport={"width": 1280, "height": 800})
                fresh = await context.new_page()
                await fresh.goto(subject.url)
                paints = await fresh.evaluate(PAINTS)
                self.paint_ms.setdefault(subject.name, []).append(paints["first"])
                self.content_ms.setdefault(subject.name, []).append(paints["content"])
                await context.close()

    async def call(self, subject: Subject) -> None:
        """Hold a conversation, and note what Chromium used of the CPU."""
        async with browser_page(self._chromium, self._sound) as (page, mark):
            if subject.name == "prebuilt":
                await page.route("**/daily-esm-*.js", lambda route: route.fulfill(path=DAILY))
            await page.goto(subject.url)
            await page.wait_for_selector(subject.ready)
            await page.click(subject.button)
            await page.evaluate(PLAYING)
            await asyncio.sleep(WARM_UP_S)
            before, start_s = cpu_s(mark), time.monotonic()
            await asyncio.sleep(MEASURED_S)
            after, took_s = cpu_s(mark), time.monotonic() - start_s
        kinds = {kind: 100 * (after[kind] - before.get(kind, 0)) / took_s for kind in after}
        self.cpu_pct.setdefault(subject.name, []).append(sum(kinds.values()))
        for kind, pct in kinds.items():
            self.kinds_pct.setdefault(subject.name, {}).setdefault(kind, []).append(pct)
        print(subject.name, {kind: round(pct, 1) for kind, pct in kinds.items()}, flush=True)

    def tell(self, report: Report) -> None:
        """Add the figures to a report."""
        for name, times_ms in self.paint_ms.items():
            report.add(f"{name}: first paint", "ms", times_ms)
            report.add(f"{name}: first contentful paint", "ms", self.content_ms[name])
        for name, used in self.cpu_pct.items():
            report.add(f"{name}: CPU in a call", "% of a core", used)
            pairs = zip(used, self.cpu_pct["bare"], strict=True)
            report.add(f"{name}: CPU beside the bare page's", "ratio", [a / b for a, b in pairs])
        report.details["kinds_pct"] = self.kinds_pct


async def compare(options: argparse.Namespace, app: App, sound: Path) -> None:
    """First paint and CPU time of the three pages, in turn."""
    async with async_playwright() as playwright, bare_site() as bare:
        bench = Bench(playwright.chromium, sound)
        box = await bench.box(app.url)
        subjects = (
            Subject("ours", app.url, "#start:enabled"),
            Subject(
                "prebuilt",
                f"{app.url}/client/",
                "button:has-text('Connect'):enabled",
                ready="text=/^initialized$/i",
            ),
            Subject("bare", f"{bare}#server={app.url}&box={box}", "#start"),
        )
        report = Report("Our page, Pipecat's prebuilt client, and a bare page", options)
        subjects = [subject for subject in subjects if subject.name in options.pages]
        for _ in range(options.rounds):
            for subject in subjects:
                await bench.paint(subject, options.paints)
        for number in range(options.rounds):
            first = number % len(subjects)
            for subject in subjects[first:] + subjects[:first]:
                await bench.call(subject)
        bench.tell(report)
        report.finish()


async def converse(options: argparse.Namespace, app: App, sound: Path) -> None:
    """One long conversation, and what is left in the page after each minute."""
    async with async_playwright() as playwright:
        async with browser_page(playwright.chromium, sound) as (page, _):
            session = await page.context.new_cdp_session(page)
            await session.send("Performance.enable")
            await page.goto(app.url)
            await page.click("#start:enabled")
            await page.evaluate(PLAYING)
            report = Report(f"{options.minutes} minutes of conversation", options)
            left = [await what_is_left(session)]
            start_s = time.monotonic()
            for number in range(options.minutes * 60 // QUESTION_PERIOD_S):
                await page.fill("#text", QUESTIONS[number % len(QUESTIONS)])
                await page.press("#text", "Enter")
                at_s = start_s + (number + 1) * QUESTION_PERIOD_S
                await asyncio.sleep(max(0, at_s - time.monotonic()))
                if (number + 1) * QUESTION_PERIOD_S % 60 == 0:
                    left.append(await what_is_left(session))
                    print(f"minute {len(left) - 1}: {left[-1]}", flush=True)
            state = await page.get_attribute("avatar-call", "data-state")
            assert state in ("listening", "thinking", "speaking"), state
    for name in left[0]:
        report.add(name, "MB" if name == "heap" else "", [each[name] for each in left])
    report.details["minutes"] = left
    report.finish()


async def what_is_left(session: CDPSession) -> dict[str, float]:
    """Heap in MB of 2^20 bytes, nodes, listeners and captions after a garbage collection."""
    await session.send("HeapProfiler.collectGarbage")
    told: dict[str, Any] = await session.send("Performance.getMetrics")
    metrics = {metric["name"]: metric["value"] for metric in told["metrics"]}
    return {
        "heap": round(metrics["JSHeapUsedSize"] / 2**20, 3),
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }


def quiet_room(folder: Path) -> Path:
    """A microphone that hears nothing, as a WAV file."""
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(2 * RATE))
    return path


async def measure(options: argparse.Namespace, folder: Path) -> None:
    """Start the server and do what the options say."""
    (folder / "brief.yaml").write_text(PERSONA)
    sound = quiet_room(folder)
    async with running_app(folder, *LOCAL, "--size", options.size) as app:
        await (converse if options.minutes else compare)(options, app, sound)


def main() -> None:
    """Measure and print."""
    parser = options_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="calls of each page")
    parser.add_argument("--paints", type=int, default=7, help="first paints in each round")
    parser.add_argument("--pages", nargs="+", default=["ours", "prebuilt", "bare"])
    parser.add_argument("--minutes", type=int, default=0, help="of one conversation instead")
    parser.add_argument("--size", default="1280x720", help="of the puppet's picture")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
