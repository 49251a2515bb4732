"""Texts inside a chart: ticks, widths and cuts. A chart is drawn before any font is known, so widths are estimates."""

import unicodedata
from dataclasses import dataclass

from markupsafe import Markup

from api.pages.words.numbers import significant

# The font of charts is 12 px, and 17 px of the drawing where a figure is narrow: texts have room for both.
ROW_PX = 16
CHARACTER_PX = 9
LONGEST_LABEL = 16


def tick_text(value: float) -> str:
    """`1,500`, `0.25`; very small values with an exponent."""
    if value and abs(value) < 1e-4:
        return f"{value:.0e}"
    return f"{value:,.10g}" if abs(value) < 1e15 else significant(value)


def short(text: str, most: int = LONGEST_LABEL) -> str:
    """At most so many characters, with an ellipsis for the rest."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def width_px(text: str) -> float:
    """About how wide it is. Characters of East Asian scripts and emoji are twice as wide."""
    return CHARACTER_PX * sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def label(x: float, y: float, text: str, css: str, anchor: str = "start") -> Markup:
    """A text, cut if it is long; then the whole one appears on hover."""
    shown = short(text)
    whole = Markup("<title>{}</title>").format(text) if shown != text else ""
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}{}</text>').format(
        css, x, y, anchor, shown, whole
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """A text that stands above the chart at `x`."""

    x: float
    text: str
    css: str


def rows_of(marks: list[Mark], left: float, right: float) -> list[tuple[int, float, Mark]]:
    """Row and middle of each mark, so that none covers another. Row 0 is the lowest."""
    ends: list[float] = []
    placed = []
    for mark in sorted(marks, key=lambda item: item.x):
        half = width_px(mark.text) / 2
        middle = min(max(mark.x, left + half), max(right - half, left + half))
        row = next((number for number, end in enumerate(ends) if end <= middle - half), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = middle + half + CHARACTER_PX
        placed.append((row, middle, mark))
    return placed


def spread(wanted: list[float], low: float, high: float) -> list[float]:
    """Heights near the wanted ones, at least ROW_PX apart and, if they fit, between low and high."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [0.0] * len(wanted)
    floor = low
    for index in order:
        placed[index] = max(wanted[index], floor)
        floor = placed[index] + ROW_PX
    ceiling = high
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - ROW_PX
    return placed
