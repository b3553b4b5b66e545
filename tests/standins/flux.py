"""Deepgram's Flux, `/v2/listen`: turns out of the loudness of the sound, words out of a script.

A line's words are heard in proportion to its voice. A pause makes its end likely; voice after that
makes it unlikely again; a longer pause ends it, if all of its voice was heard or the pause is as
long as the client grants at most: the rest of the line is then another turn. Not imitated: the
sureness behind it (the thresholds are only checked), keyterms, and ForceEndTurn.
"""

import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from tests.standins.loudness import voiced_s
from tests.standins.script import Line

Message = dict[str, Any]
MODELS = ("flux-general-en", "flux-general-multi")
RANGES = {
    "eager_eot_threshold": (0.3, 0.9),
    "eot_threshold": (0.5, 0.9),
    "eot_timeout_ms": (500, 60_000),
}
KNOWN = {"model", "encoding", "sample_rate", "language_hint", "keyterm", "tag", *RANGES}
UPDATE_S = 0.25
STARTS_S = 0.1
RESUMES_S = 0.06


def problem_with(options: dict[str, str]) -> str:
    """What the vendor would refuse the query parameters for; "" for nothing."""
    if unknown := options.keys() - KNOWN:
        return f"unknown query parameters: {', '.join(sorted(unknown))}"
    if options.get("model") not in MODELS:
        return f"no such model: {options.get('model')}"
    if options.get("encoding") != "linear16" or not options.get("sample_rate", "").isdigit():
        return "raw audio needs encoding=linear16 and a sample_rate"
    if "language_hint" in options and options["model"] != MODELS[1]:
        return "language_hint is for flux-general-multi"
    for name, (least, most) in RANGES.items():
        if name in options and not least <= float(options[name]) <= most:
            return f"{name} is from {least} to {most}"
    eager, end = (float(options.get(name, default)) for name, default in _THRESHOLDS)
    return "eager_eot_threshold is at most eot_threshold" if eager > end else ""


_THRESHOLDS = (("eager_eot_threshold", 0), ("eot_threshold", 0.7))


@dataclass
class FluxConnection:
    """One listening WebSocket: what arrived on it, and what it answers. Knows no HTTP.

    Audio is s16le mono. `events` are the turns' events so far, with their transcripts.
    """

    script: deque[Line]
    options: dict[str, str]
    audio_bytes: int = 0
    closed: bool = False
    events: list[tuple[str, str]] = field(default_factory=list)
    _request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _sequence: int = 0
    _turn: int = 0
    _in_turn: bool = False
    _awaits_end: bool = False
    _voiced_s: float = 0.0
    _resumed_s: float = 0.0
    _quiet_s: float = 0.0
    _told_s: float = 0.0

    @property
    def sample_rate(self) -> int:
        """Of the incoming audio, in Hz."""
        return int(self.options["sample_rate"])

    @property
    def audio_s(self) -> float:
        """How much audio has arrived, in seconds."""
        return self.audio_bytes / (2 * self.sample_rate)

    def connected(self) -> Message:
        """What is said first."""
        return {"type": "Connected", "request_id": self._request_id, "sequence_id": 0}

    def hear(self, pcm: bytes) -> list[Message]:
        """Take a chunk of audio; the events it leads to."""
        self.audio_bytes += len(pcm)
        if not self.script:
            return []
        heard_s = voiced_s(pcm, self.sample_rate)
        self._voiced_s += heard_s
        self._quiet_s = 0.0 if heard_s else self._quiet_s + len(pcm) / (2 * self.sample_rate)
        self._resumed_s = self._resumed_s + heard_s if heard_s else 0.0
        event = self._event()
        return [self._info(event)] if event else []

    def _event(self) -> str:
        line = self.script[0]
        complete = self._voiced_s >= line.voiced_s
        longest_s = int(self.options.get("eot_timeout_ms", 5000)) / 1000
        if not self._in_turn:
            self._in_turn = self._voiced_s >= STARTS_S
            return "StartOfTurn" if self._in_turn else ""
        if self._awaits_end and self._resumed_s >= RESUMES_S:
            self._awaits_end = False
            return "TurnResumed"
        if self._quiet_s >= (line.ends_s if complete else longest_s):
            return "EndOfTurn"
        eager = "eager_eot_threshold" in self.options
        if eager and not self._awaits_end and self._quiet_s >= line.eager_s:
            self._awaits_end = True
            return "EagerEndOfTurn"
        return "Update" if self.audio_s - self._told_s >= UPDATE_S else ""

    def control(self, message: Message) -> list[Message]:
        """Take a control message; the answers to it."""
        match message["type"]:
            case "CloseStream":
                self.closed = True
                return []
            case "Configure":
                thresholds = message.get("thresholds", {})
                self.options |= {name: str(value) for name, value in thresholds.items()}
                if problem := problem_with(self.options):
                    error = {"error_code": "INVALID", "description": problem}
                    return [self._numbered("ConfigureFailure") | error]
                return [self._numbered("ConfigureSuccess") | {"thresholds": thresholds}]
            case kind:
                self.closed = True
                error = {"code": "UNPARSABLE_CLIENT_MESSAGE", "description": f"what is {kind}?"}
                return [self._numbered("Error") | error]

    def _info(self, event: str) -> Message:
        text = self._text()
        self.events.append((event, text))
        self._told_s = self.audio_s
        message = self._numbered("TurnInfo") | {
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": 0.0,
            "audio_window_end": self.audio_s,
            "transcript": text,
            "words": [{"word": word, "confidence": 0.99} for word in text.split()],
            "end_of_turn_confidence": 0.9 if event == "EndOfTurn" else 0.1,
        }
        if self.options["model"] == MODELS[1]:
            message["languages"] = [self.options.get("language_hint", "en")]
        if event == "EndOfTurn":
            self._next_turn(len(text.split()))
        return message

    def _text(self) -> str:
        line = self.script[0]
        words = line.text.split()
        share = min(1.0, self._voiced_s / line.voiced_s)
        return " ".join(words[: max(1, int(share * len(words)))])

    def _next_turn(self, said: int) -> None:
        line = self.script.popleft()
        if rest := " ".join(line.text.split()[said:]):
            left_s = max(0.1, line.voiced_s - self._voiced_s)
            self.script.appendleft(replace(line, text=rest, voiced_s=left_s))
        self._turn += 1
        self._in_turn = self._awaits_end = False
        self._voiced_s = self._resumed_s = self._quiet_s = 0.0

    def _numbered(self, kind: str) -> Message:
        self._sequence += 1
        return {"type": kind, "request_id": self._request_id, "sequence_id": self._sequence}
