"""Drawings as SVG: delay against cut-offs, and what grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 56
INK, PALE, LINE = "#1f2937", "#6b7280", "#e5e7eb"
COLOURS = {"silence": "#9ca3af", "usual": "#dc2626", "first": "#d97706", "ours": "#2563eb"}
MOST_S = 1.3


@dataclass(frozen=True)
class Dot:
    """A rule: its delay at half of the ends and at nine of ten, and the share of pauses cut."""

    name: str
    colour: str
    p50_s: float
    p90_s: float
    cut_pct: float


def _x(seconds: float) -> float:
    return LEFT + min(seconds, MOST_S) / MOST_S * (WIDTH - LEFT - RIGHT)


def _y(pct: float, most_pct: float) -> float:
    return HEIGHT - BOTTOM - pct / most_pct * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" text-anchor="{anchor}"'
        f' font-size="{size}">{escape(text)}</text>'
    )


def _line(a: tuple[float, float], b: tuple[float, float], colour: str, width: float) -> str:
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"'
        f' stroke="{colour}" stroke-width="{width}"/>'
    )


def _grid(most_pct: float) -> list[str]:
    parts: list[str] = []
    for tenth in range(0, 14, 2):
        x = _x(tenth / 10)
        parts.append(_line((x, TOP), (x, HEIGHT - BOTTOM), LINE, 1))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{tenth / 10:.1f} s", PALE, "middle"))
    for pct in range(0, int(most_pct) + 1, 20):
        y = _y(pct, most_pct)
        parts.append(_line((LEFT, y), (WIDTH - RIGHT, y), LINE, 1))
        parts.append(_text(LEFT - 8, y + 4, f"{pct} %", PALE, "end"))
    return parts


def _mark(dot: Dot, most_pct: float) -> list[str]:
    y = _y(dot.cut_pct, most_pct)
    beyond = dot.p90_s > MOST_S
    label = f"{dot.name} (to {dot.p90_s:.1f} s)" if beyond else dot.name
    return [
        _line((_x(dot.p50_s), y), (_x(dot.p90_s), y), dot.colour, 1.5),
        f'<circle cx="{_x(dot.p50_s):.1f}" cy="{y:.1f}" r="5" fill="{dot.colour}"/>',
        _text(_x(dot.p50_s) - 9, y + 4, label, dot.colour, "end"),
    ]


def draw(title: str, silence: Sequence[Dot], dots: Sequence[Dot], most_pct: float = 100) -> str:
    """The drawing: silence alone as a line, each rule as a dot with a line to its p90."""
    points = " ".join(f"{_x(d.p50_s):.1f},{_y(d.cut_pct, most_pct):.1f}" for d in silence)
    grey = COLOURS["silence"]
    last = silence[0]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 24, title, INK, size=15),
        *_grid(most_pct),
        f'<polyline points="{points}" fill="none" stroke="{grey}" stroke-width="2"/>',
        _text(_x(last.p50_s) + 8, _y(last.cut_pct, most_pct) - 4, "silence alone", PALE),
        *(part for dot in dots for part in _mark(dot, most_pct)),
        _text(
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12,
            "from the end of the voice to the decision: half of the ends (dot), nine of ten (line)",
            PALE, "middle",
        ),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def draw_growth(title: str, values: Sequence[float], unit: str, what: str) -> str:
    """One value after each of many, from nought up."""
    most = max(values) * 1.2

    def at(number: int, value: float) -> tuple[float, float]:
        x = LEFT + number / len(values) * (WIDTH - LEFT - RIGHT)
        return x, HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)

    points = " ".join("{:.1f},{:.1f}".format(*at(n, v)) for n, v in enumerate(values, 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 24, title, INK, size=15),
        _line(at(0, 0), at(len(values), 0), PALE, 1),
        f'<polyline points="{points}" fill="none" stroke="{COLOURS["ours"]}" stroke-width="2"/>',
    ]
    for number in (1, len(values) // 2, len(values)):
        (x, y), value = at(number, values[number - 1]), values[number - 1]
        parts.append(_text(x, y - 8, f"{value:.0f} {unit}", INK, "start" if number == 1 else "end"))
        parts.append(_text(x, HEIGHT - BOTTOM + 18, str(number), PALE, "middle"))
    parts += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, what, PALE, "middle"), "</svg>"]
    return "\n".join(parts) + "\n"
