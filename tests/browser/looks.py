"""The page as different people have it: on a phone or a desk, light or dark, narrow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.async_api import Page

Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Look:
    """A window of `width` x `height` CSS pixels, and the colours its owner likes."""

    name: str
    width: int
    height: int
    scheme: Scheme

    async def put_on(self, page: "Page", motion: bool = False) -> None:
        """Show a page like this; without `motion` as to people who asked for less of it."""
        await page.set_viewport_size({"width": self.width, "height": self.height})
        await page.emulate_media(
            color_scheme=self.scheme, reduced_motion="no-preference" if motion else "reduce"
        )


def _looks(name: str, width: int, height: int) -> tuple[Look, Look]:
    return (
        Look(f"{name}-light", width, height, "light"),
        Look(f"{name}-dark", width, height, "dark"),
    )


NARROW = _looks("narrow", 320, 640)
PHONE = _looks("phone", 390, 844)
DESK = _looks("desk", 1280, 800)
