"""Somebody at the page: a browser, a microphone, eyes, ears and a keyboard."""

import asyncio
import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Page

WATCH = Path(__file__).with_name("watch.js")
LIMIT_MS = 60_000
RATE = 16_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page of somebody else's, on this machine all the same.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
)

FAKE_DEVICES = "--use-fake-device-for-media-stream"


class User:
    """One page, and what was seen of its doings from the outside."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._on_console)

    async def state(self, *names: str, limit_s: float = LIMIT_MS / 1000) -> None:
        """Wait until the page is in one of these states."""
        selector = ", ".join(f"avatar-call[data-state={name}]" for name in names)
        await self.page.wait_for_selector(selector, timeout=limit_s * 1000)

    async def comes(self, name: str, limit_s: float) -> bool:
        """Whether the page comes into a state within a time."""
        from playwright.async_api import TimeoutError as TooLate

        try:
            await self.state(name, limit_s=limit_s)
        except TooLate:
            return False
        return True

    async def read(self, selector: str) -> str:
        """The text of an element, once it is there and has one."""
        element = await self.page.wait_for_selector(f"{selector}:not(:empty)")
        assert element
        return (await element.inner_text()).strip()

    async def begin(self) -> None:
        """Start talking, and wait for the face and for the greeting to begin.

        On a busy machine it may be over by then.
        """
        before = await self.watched("watched.states.length")
        await self.page.click("#start:enabled")
        await self.until(f"watched.states.slice({before}).includes('speaking')")
        await self.page.wait_for_selector("#stage[data-face=on]")

    async def be_greeted(self) -> None:
        """Start talking, and hear the greeting out."""
        await self.begin()
        await self.state("listening")

    async def begin_at_once(self) -> None:
        """Start talking, and cut the greeting off."""
        await self.begin()
        await self.page.evaluate("document.querySelector('avatar-call').interrupt()")
        await self.state("listening")

    async def load_anew(self) -> None:
        """End the call and load the page again: a call that was not ended would go on there."""
        await self.page.click("#end")
        await self.state("over")
        await self.page.reload()

    async def choose_microphone(self, name: str) -> None:
        """Take another microphone, and wait until it is the one that is used."""
        await self.page.click("#devices")
        await self.page.select_option("#microphones", label=name)
        used = "({ label, readyState }) => readyState === 'live' && label"
        await self.until(f"watched.tracks.some({used} === '{name}')")
        await self.page.click("#devices-close")

    async def type(self, text: str) -> None:
        """Send a typed message."""
        await self.page.fill("#text", text)
        await self.page.click("#send")

    async def watched(self, expression: str) -> Any:
        """What watch.js kept: the value of a JavaScript expression about `watched`."""
        return await self.page.evaluate(expression)

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression holds.

        The page's policy forbids the eval() of Playwright's own waiting.
        """
        tick = (
            f"setInterval(() => {{ if ({condition}) {{ clearInterval(timer); resolve(); }} }}, 50)"
        )
        waiting = self.page.evaluate(f"new Promise((resolve) => {{ const timer = {tick}; }})")
        await asyncio.wait_for(waiting, LIMIT_MS / 1000)

    async def hush(self) -> bytes:
        """All that was heard since listen() in the page: s16le mono, 16 kHz."""
        urls = await self.page.evaluate("hush()")
        tracks = [recorded(url) for url in urls]
        mixed = np.zeros(max(map(len, tracks)), np.int32)
        for samples in tracks:
            mixed[: len(samples)] += samples
        return mixed.clip(-32768, 32767).astype(np.int16).tobytes()

    def _on_console(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


async def visiting(page: "Page", url: str, ready: str = "#start:enabled") -> User:
    """Somebody at the page at `url`, once what they wait for is there."""
    from playwright.async_api import TimeoutError as TooLate

    page.set_default_timeout(LIMIT_MS)
    user = User(page)
    await page.goto(url)
    try:
        if ready:
            await page.wait_for_selector(ready)
    except TooLate as late:
        seen = await page.locator("avatar-call, body").first.inner_text()
        late.add_note(f"The page says {seen!r} and complains of {user.complaints}.")
        raise
    return user


def recorded(url: str) -> np.ndarray:
    """What a data: URL holds of a recorder's: int16 samples, mono, 16 kHz."""
    webm = base64.b64decode(url.partition(",")[2])
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(io.BytesIO(webm), "r") as file:
        frames = [out for frame in file.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([np.zeros(0, np.int16), *(frame.to_ndarray()[0] for frame in frames)])
