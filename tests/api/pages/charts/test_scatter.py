"""Times by tokens: dots of requests, a line with its interval."""

from typing import Any

from api.pages.charts.scatter import MOST, scatter
from tests.api.pages.charts.svg import Drawn

LINE = {"tokens": [10, 20], "ms": [100.0, 110.0], "low_ms": [95.0, 105.0], "high_ms": [105.0, 115.0]}


def drawn(count: int, fit: dict[str, Any] | None, zoom: tuple[float, float] | None = None) -> Any:
    requests = {
        "id": list(range(count)),
        "outcome": ["succeeded"] * (count - 1) + ["errored"],
        "input_tokens": [10 + number for number in range(count)],
        "ttft_ms": [100.0 + number for number in range(count)],
    }
    return scatter(
        "ttft-by-input",
        "TTFT",
        requests,
        tokens="input_tokens",
        time="ttft_ms",
        fit=fit,
        caption="It rises.",
        zoom=zoom,
    )


def test_succeeded_requests_are_dots_and_the_fit_is_a_line_in_its_band() -> None:
    figure = drawn(11, {"line": LINE})
    page = Drawn.of(figure.svg)
    assert page.paths("dots")[0].count("M") == 10
    assert len(page.paths("line")) == len(page.paths("band")) == 1
    assert (figure.title, figure.caption) == ("TTFT by input tokens", "It rises.")
    assert figure.columns == ("result", "input tokens", "TTFT, ms")
    assert figure.rows[0] == (0, 10, 100.0)


def test_without_an_interval_there_is_no_band_and_without_a_fit_no_line() -> None:
    page = Drawn.of(drawn(11, {"line": {**LINE, "low_ms": None, "high_ms": None}}).svg)
    assert (len(page.paths("line")), len(page.paths("band"))) == (1, 0)
    assert Drawn.of(drawn(11, None).svg).paths("line") == []


def test_there_are_never_too_many_dots() -> None:
    figure = drawn(5_001, None)
    assert Drawn.of(figure.svg).paths("dots")[0].count("M") <= MOST


def test_a_zoom_chooses_by_tokens() -> None:
    figure = drawn(101, None, zoom=(20, 24))
    assert [row[1] for row in figure.rows] == [20, 21, 22, 23, 24]


def test_times_far_from_0_fill_the_height() -> None:
    assert 'data-y0="99.82" data-y1="109.18"' in drawn(11, None).svg
    assert 'data-y0="0"' in drawn(200, None).svg
