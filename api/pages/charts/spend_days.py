"""What was spent on each day, as bars."""

from collections.abc import Mapping
from datetime import date, timedelta

from api.pages.charts.figure import MAX_ROWS, Figure
from api.pages.charts.plot import WIDE, Plot, across, up
from api.pages.words.numbers import usd
from api.present.money import dollars
from shared.money import Spent

HEIGHT = 220
# Widest character of a sum where the figure is narrow: its font is then 18 px of the drawing.
DIGIT_PX = 12
_NONE = Spent(0, 0, 0, 0, 0)


def spend_days(spent: Mapping[date, Spent], first: date, last: date) -> Figure:
    """`spent`: the days on which something was."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    amounts = [dollars(spent.get(day, _NONE).amount) for day in days]
    y = up(amounts, height=HEIGHT)
    # Dollars need more room than milliseconds.
    left = 8 + DIGIT_PX * max(len(usd(value)) for value in y.ticks(5))
    # The middle of each bar is the number of its day.
    edges = [number - 0.5 for number in range(len(days) + 1)]
    plot = Plot(
        WIDE,
        HEIGHT,
        across(edges, width=WIDE, left=left),
        y,
        "day, in UTC",
        "spent, USD",
        x_text=lambda number: _day(first + timedelta(days=number)) if number.is_integer() else "",
        y_text=usd,
    )
    plot.bars(edges, amounts)
    most = max(range(len(days)), key=lambda number: amounts[number])
    rows = [
        (f"{day}", amount, spent.get(day, _NONE).requests)
        for day, amount in zip(days, amounts, strict=True)
        if day in spent
    ]
    return Figure(
        id="spend-days",
        title="By day",
        caption=f"One bar a day. The most was spent on {_day(days[most])}: {usd(amounts[most])}.",
        svg=plot.svg("spend-days"),
        columns=("day", "spent, USD", "requests"),
        rows=rows[-MAX_ROWS:],
        zooms=False,
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
