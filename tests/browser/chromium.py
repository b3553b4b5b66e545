"""Chromium, started once for each kind of sound; every page has a profile of its own."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.sound import SoundCard
from tests.browser.user import FAKE_DEVICES, FLAGS, WATCH, User, visiting

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserType

GOODBYE = "document.querySelectorAll('avatar-call').forEach((call) => call.stop?.())"
LEFT = "watched.peers.every(({ connectionState }) => connectionState !== 'connected')"
WINDOW = {"width": 1280, "height": 800}


class Chromium:
    """The browsers of a test run."""

    def __init__(self, kind: "BrowserType", program: str) -> None:
        self._kind = kind
        self._program = program
        self._running: dict[tuple[Path | None, str, bool], Browser] = {}

    @asynccontextmanager
    async def meeting(
        self,
        url: str,
        sound: Path | SoundCard | None = None,
        *,
        ready: str = "#start:enabled",
        turned_clock: bool = False,
        autoplay: str = "",
        keeps_pages: bool = False,
        before: str = "",
        **options: Any,
    ) -> AsyncIterator[User]:
        """The page at `url` for somebody who hears the WAV file, or is refused the microphone.

        With a sound card it has the microphones and speakers that are plugged into that. `ready` is
        what to wait for, if anything; where the clock is `turned_clock`, page.clock can be moved
        on. `autoplay` is Chromium's policy of that name, `keeps_pages` whether it keeps pages that
        are left, as it does for people, and `before` a script that runs before those of the page.
        Further options are those of Playwright's new_context().
        """
        async with self._browser(sound, autoplay, keeps_pages) as browser:
            if isinstance(sound, SoundCard):
                options["permissions"] = ["microphone"]
            context = await browser.new_context(**{"viewport": WINDOW, **options})
            try:
                page = await context.new_page()
                if turned_clock:
                    await page.clock.install()
                await page.add_init_script(path=WATCH)
                if before:
                    await page.add_init_script(before)
                user = await visiting(page, url, ready)
                yield user
                # Servers would wait for a page that only goes, LiveKit's for half a minute.
                await page.evaluate(GOODBYE)
                await user.until(LEFT)
            finally:
                await context.close()

    async def aclose(self) -> None:
        """End every browser."""
        for browser in self._running.values():
            await browser.close()

    @asynccontextmanager
    async def _browser(
        self, sound: Path | SoundCard | None, autoplay: str, keeps_pages: bool
    ) -> "AsyncIterator[Browser]":
        """The browser that has these ears; one with a sound card ends with the block."""
        if isinstance(sound, SoundCard):
            browser = await self._launch(sound)
            try:
                yield browser
            finally:
                await browser.close()
        else:
            kind = (sound, autoplay, keeps_pages)
            if kind not in self._running:
                self._running[kind] = await self._launch(*kind)
            yield self._running[kind]

    async def _launch(
        self, sound: Path | SoundCard | None, autoplay: str = "", keeps_pages: bool = False
    ) -> "Browser":
        how = _devices(sound)
        if keeps_pages:
            how["ignore_default_args"] = ["--disable-back-forward-cache"]
        if autoplay:
            how["args"].append(f"--autoplay-policy={autoplay}")
        return await self._kind.launch(executable_path=self._program, **how)


def _devices(sound: Path | SoundCard | None) -> dict[str, Any]:
    """How Chromium is started for these ears."""
    if isinstance(sound, SoundCard):
        env = {**os.environ, **sound.environment}
        return {"args": [*FLAGS], "env": env, "ignore_default_args": ["--mute-audio"]}
    permission = "--use-fake-ui-for-media-stream" + ("" if sound else "=deny")
    ears = [f"--use-file-for-fake-audio-capture={sound}"] if sound else []
    return {"args": [*FLAGS, FAKE_DEVICES, permission, *ears]}
