"""The time axis of a history: its ticks differ, however short the span is."""

from datetime import UTC, datetime, timedelta

import pytest

from api.pages.charts.history import RunPoint, history_figure
from tests.api.pages.charts.svg import Drawn

BEGAN = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize("span_s", [60, 900, 20_000, 900_000])
def test_no_two_ticks_say_the_same(span_s: int) -> None:
    points = [
        RunPoint(number, "/run", BEGAN + timedelta(seconds=seconds), 100.0, None, "A", "said", False, False)
        for number, seconds in enumerate((0, span_s))
    ]
    figure = history_figure(points, title="TTFT", caption="", y_title="TTFT, ms", y_text=lambda _: "", csv_url="/csv")
    drawn = Drawn.of(figure.svg)
    ticks = [text for text in (*drawn.texts("tick"), *drawn.texts("tick odd")) if text]
    assert len(ticks) >= 2
    assert len(ticks) == len(set(ticks))
