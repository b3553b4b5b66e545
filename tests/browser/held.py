"""Moments that pass too quickly to be looked at, held for as long as one likes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

# Without a window nobody can be asked, so Chromium answers at once; here the answer takes its time.
PAUSE = """() => {
  const devices = navigator.mediaDevices;
  const ask = devices.getUserMedia.bind(devices);
  const answer = Promise.withResolvers();
  devices.getUserMedia = (wish) => answer.promise.then(() => ask(wish));
  window.answerQuestion = () => {
    devices.getUserMedia = ask;
    answer.resolve();
  };
}"""
OFFER = "**/api/offer"
Release = Callable[[], Awaitable[None]]


@asynccontextmanager
async def held_question(page: "Page") -> AsyncIterator[Release]:
    """The user does not say yet whether the microphone may be used; call what you get to answer."""
    await page.evaluate(PAUSE)

    async def answer() -> None:
        await page.evaluate("answerQuestion()")

    yield answer


@asynccontextmanager
async def held_offer(page: "Page") -> AsyncIterator[Release]:
    """The offer of a connection stays on its way; call what you get to let it through."""
    free = asyncio.Event()

    async def hold(route: "Route") -> None:
        await free.wait()
        await route.continue_()

    async def release() -> None:
        free.set()

    await page.route(OFFER, hold)
    try:
        yield release
    finally:
        free.set()
        await page.unroute_all(behavior="ignoreErrors")
