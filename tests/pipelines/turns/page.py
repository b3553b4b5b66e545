"""What a page shows of a conversation, by the messages it gets.

Read as by web/conversation/rtvi.js and transcript.js, without what is guessed or still to come.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Entry:
    """A turn: whose it is, its segments by their id, and whether it was taken back."""

    who: str
    segments: dict[Any, str] = field(default_factory=dict)
    is_forgotten: bool = False

    @property
    def text(self) -> str:
        """Its words."""
        return " ".join(text for text in self.segments.values() if text)


class Page:
    """Reads RTVI."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._over: set[Any] = set()
        self._is_closed = True

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Who said what, as it stands there."""
        return [(entry.who, entry.text) for entry in self._spoken if not entry.is_forgotten]

    @property
    def ever_said(self) -> list[str]:
        """The words of the avatar that were ever shown as spoken."""
        return " ".join(entry.text for entry in self._spoken if entry.who == "avatar").split()

    @property
    def _spoken(self) -> list[Entry]:
        return [entry for entry in self._entries if entry.text]

    def read(self, message: dict[str, Any]) -> None:
        """A message that left for the page."""
        data = message.get("data") or {}
        match message.get("type"):
            case "user-transcription" if data["final"]:
                self._entry("user").segments[len(self._entries), data["text"]] = data["text"]
            case "bot-output" if data.get("spoken_progress"):
                self._show(data["segment_id"], data["spoken_progress"])
            case "bot-interrupted":
                self._over.update(key for entry in self._entries for key in entry.segments)
            case "server-message" if data.get("type") == "taken-back":
                self._take_back()
            case _:
                pass

    def _show(self, segment: Any, progress: dict[str, Any]) -> None:
        if segment in self._over:
            return
        spoken = progress["accumulated_text"].strip()
        known = next((entry for entry in self._entries if segment in entry.segments), None)
        entry = known or self._entry("avatar")
        entry.segments[segment] = spoken or entry.segments.get(segment, "")

    def _take_back(self) -> None:
        for who in ("avatar", "user"):
            left = [entry for entry in self._entries if not entry.is_forgotten]
            if left and left[-1].who == who:
                left[-1].is_forgotten = True
        self._is_closed = True

    def _entry(self, who: str) -> Entry:
        left = [entry for entry in self._entries if not entry.is_forgotten]
        if not left or left[-1].who != who or self._is_closed:
            self._entries.append(Entry(who))
            self._is_closed = False
            return self._entries[-1]
        return left[-1]
