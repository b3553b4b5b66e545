"""What a conversation uses of parts that cost something, added up while it goes on."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from pipecat.frames.frames import MetricsFrame
from pipecat.metrics.metrics import (
    LLMUsageMetricsData,
    MetricsData,
    STTUsageMetricsData,
    TTSUsageMetricsData,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.stt_service import STTService

from sessions.spend import Bill, Stay

from .parts import Lineup, Part, part
from .settings import Settings

HEARD, READ, WRITTEN, SPOKEN = "stt_minutes", "llm_tokens_in", "llm_tokens_out", "tts_characters"
LITE, FULL, SANDBOX = "lite_minutes", "full_minutes", "sandbox_minutes"
MILLION = 1_000_000
# Of FULL, half a minute is paid for with what a minute of LITE costs (liveavatar-protocol: 2.8).
HALF = 0.5
# The items of each part that may cost something: the setting of the price, and for how many it is.
PRICED: Mapping[str, Mapping[str, tuple[str, float]]] = {
    "deepgram": {HEARD: ("deepgram_dollars_per_minute", 1)},
    "gemini": {
        READ: ("google_dollars_per_million_in", MILLION),
        WRITTEN: ("google_dollars_per_million_out", MILLION),
    },
    "ollama": {
        READ: ("ollama_dollars_per_million_in", MILLION),
        WRITTEN: ("ollama_dollars_per_million_out", MILLION),
    },
    "cartesia": {SPOKEN: ("cartesia_dollars_per_million", MILLION)},
    "heygen": {LITE: ("liveavatar_dollars_per_minute", 1)},
    "full": {FULL: ("liveavatar_dollars_per_minute", HALF)},
}


@runtime_checkable
class Staying(Protocol):
    """A part that is paid for by the minute."""

    @property
    def stay(self) -> Stay:
        """For how long it has been there."""
        ...


def prices(row: Part, settings: Settings) -> Mapping[str, float]:
    """What one of each item of a part costs, in dollars; empty for a local one that is free."""
    if row.value in ("heygen", "full") and settings.liveavatar_sandbox:
        return {SANDBOX: 0.0}
    items = PRICED.get(row.value, {})
    each = {item: getattr(settings, field) / many for item, (field, many) in items.items()}
    return {} if row.local and not any(each.values()) else each


def costs(lineup: Lineup, settings: Settings) -> bool:
    """Whether a conversation of these parts costs anything."""
    rows = [row for choice in lineup.values() for row in choice.parts]
    return any(any(prices(row, settings).values()) for row in rows)


def stay(settings: Settings, item: str = LITE) -> Stay:
    """The minutes of a session of LiveAvatar that is about to be begun: LITE or FULL."""
    return Stay(SANDBOX if settings.liveavatar_sandbox else item)


class Meter(BaseObserver):
    """Reads Pipecat's own usage metrics, which also come of answers that nobody heard."""

    def __init__(
        self,
        settings: Settings,
        parts: Mapping[FrameProcessor, Part],
        staying: Part | None = None,
    ) -> None:
        """`parts` are ears, minds and voices, `staying` what is paid for by the minute."""
        super().__init__(observe_every_push=False)
        each = {processor: prices(row, settings) for processor, row in parts.items()}
        self._prices = {processor.name: of_it for processor, of_it in each.items()}
        self._ears = [ears for ears in each if isinstance(ears, STTService) and each[ears]]
        self._stay_prices = prices(staying or part("avatar", "heygen"), settings)
        self._bill = Bill()
        # Each with the minutes that are on the bill.
        self._stays: list[tuple[Stay, int]] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        """Add what a part tells of its use."""
        if isinstance(data.frame, MetricsFrame):
            for each in data.frame.data:
                self._bill.add(_used(each), self._prices.get(each.processor, {}))

    def estimate(self, mind: FrameProcessor, read: int, written: int) -> None:
        """Add tokens that a mind has read and written, and could not tell of."""
        self._bill.add({READ: read, WRITTEN: written}, self._prices.get(mind.name, {}))

    async def ask(self) -> None:
        """Have ears tell what they have heard so far; by themselves they do when a turn ends."""
        for ears in self._ears:
            await ears.emit_stt_usage_metrics()

    def count(self, stay: Stay) -> None:
        """Count the minutes of this one, too."""
        self._stays.append((stay, 0))

    @property
    def bill(self) -> Bill:
        """The bill until now."""
        now = [(stay, stay.minutes) for stay, _ in self._stays]
        for (stay, minutes), (_, before) in zip(now, self._stays, strict=True):
            self._bill.add({stay.item: minutes - before}, self._stay_prices)
        self._stays = now
        return self._bill


def _used(data: MetricsData) -> Mapping[str, float]:
    match data:
        case STTUsageMetricsData(value=heard):
            return {HEARD: heard.audio_seconds / 60}
        case LLMUsageMetricsData(value=tokens):
            return {READ: tokens.prompt_tokens, WRITTEN: tokens.completion_tokens}
        case TTSUsageMetricsData(value=characters):
            return {SPOKEN: characters}
        case _:
            return {}
