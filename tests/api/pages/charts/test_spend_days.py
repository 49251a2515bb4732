"""The chart of what was spent a day: whole days on its axis, and texts that do not cover each other."""

import itertools
from datetime import date, timedelta

import pytest

from api.pages.charts.spend_days import spend_days
from shared.money import Spent
from tests.api.pages.charts.svg import Drawn, points

FIRST = date(2026, 11, 1)
# Of the drawing, where the figure is narrow: `svg.chart.wide` in charts.css. A font may have wider digits than most.
FONT_PX, DIGIT_PX = 18, 11.5


def chart(days: int, micros: int) -> Drawn:
    """So many days; on the last one this was spent."""
    last = FIRST + timedelta(days=days - 1)
    return Drawn.of(spend_days({last: Spent(micros, 0, 3, 0, 1)}, FIRST, last).svg)


def boxes(drawn: Drawn) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of each text in a narrow figure."""
    made = []
    for text in drawn.root.iter("text"):
        x, y, width = float(text.get("x", "")), float(text.get("y", "")), DIGIT_PX * len(text.text or "")
        left = x - {"end": width, "middle": width / 2}.get(text.get("text-anchor", ""), 0)
        made.append((left, y - 0.75 * FONT_PX, left + width, y + 0.2 * FONT_PX))
    return made


@pytest.mark.parametrize("days", [1, 2, 5, 27, 366])
@pytest.mark.parametrize("micros", [12, 12_345, 40_000_000, 55_250_000, 1_234_567_891_000])
def test_no_text_covers_another_or_is_cut_off(days: int, micros: int) -> None:
    placed = boxes(chart(days, micros))
    assert min(left for left, *_ in placed) >= 0
    for one, other in itertools.combinations(placed, 2):
        beside = one[2] <= other[0] or other[2] <= one[0]
        assert beside or one[3] <= other[1] or other[3] <= one[1], (one, other)


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (1, ["1 Nov"]),
        (2, ["1 Nov", "2 Nov"]),
        (5, ["1 Nov", "2 Nov", "3 Nov", "4 Nov", "5 Nov"]),
        (27, ["1 Nov", "11 Nov", "21 Nov"]),
    ],
)
def test_the_axis_names_each_day_once_and_in_the_middle_of_its_bar(days: int, shown: list[str]) -> None:
    drawn = chart(days, 1_000_000)
    labels = {text.text: float(text.get("x", "")) for text in drawn.root.iter("text") if "Nov" in (text.text or "")}
    assert [text for text in drawn.texts("tick") if "Nov" in text] == shown
    if days <= 5:
        (bar,) = drawn.paths("bars")
        left, right = points(bar)[0][0], float(bar.partition("H")[2].partition("V")[0])
        # A gap of a pixel is on its right.
        assert labels[shown[-1]] == pytest.approx((left + right + 1) / 2, abs=0.1)
