"""ECDF, histogram and sparkline: they show the values that they are given, and say them in words."""

import pytest

from api.pages.charts.distribution import Sample, ecdf, histogram, legend
from api.pages.charts.plot import HEIGHT, LEFT, TOP
from api.pages.charts.sparkline import sparkline
from api.pages.charts.zoom import scale_of, zoom_of
from tests.api.pages.charts.svg import Drawn, points

FEW = Sample("A", 4, [10.0, 20.0, 30.0, 40.0], marks={"P50": 25.0, "P95": None})
MANY = Sample("B", 10_000, [100 + index for index in range(512)], [900.0, 950.0], {"P50": 356.0, "P95": 586.0})


def test_few_values_are_a_stair_of_equal_steps() -> None:
    assert FEW.points() == [(10.0, 25.0), (20.0, 50.0), (30.0, 75.0), (40.0, 100.0)]
    figure = ecdf("ttft-ecdf", "TTFT", [FEW])
    (line,) = Drawn.of(figure.svg).paths("line")
    corners = points(line)
    assert len({y for _, y in corners}) == 5
    assert (corners[0][1], corners[-1][1]) == (HEIGHT - 44, TOP)


def test_quantiles_and_the_tail_reach_100_per_cent() -> None:
    made = MANY.points()
    assert made[0] == (100, pytest.approx(100 * 0.5 / 512))
    assert made[511] == (611, pytest.approx(100 * 511.5 / 512))
    assert made[-2:] == [(900.0, 99.99), (950.0, 100.0)]
    assert [height for _, height in made] == sorted(height for _, height in made)


def test_a_figure_says_its_marks_and_has_its_percentiles_as_a_table() -> None:
    figure = ecdf("ttft-ecdf", "TTFT", [FEW], csv_url="/csv")
    assert figure.caption == "Share of requests that took at most this long. 4 requests: P50 25.0 ms."
    assert "P50 25.0" in Drawn.of(figure.svg).texts("mark")
    assert figure.columns == ["% of requests", "TTFT, ms"]
    assert (figure.rows[0], figure.rows[49], figure.rows[99]) == ([1, 10.0], [50, 20.0], [100, 40.0])
    assert figure.csv_url == "/csv"


def test_several_samples_lie_over_each_other_with_names() -> None:
    figure = ecdf("ttft-ecdf", "TTFT", [FEW, MANY])
    chart = Drawn.of(figure.svg)
    assert chart.texts("end") == ["A", "B"]
    assert len(chart.paths("s1")) >= 1
    assert len(chart.paths("s2")) >= 1
    assert figure.columns == ["% of requests", "A, ms", "B, ms"]
    assert figure.rows[49] == [50, 20.0, 356]
    assert "B, 10,000 requests: P50 356 ms, P95 586 ms" in figure.caption
    assert legend(["A", "<b>"]).count("<li") == 2
    assert "&lt;b&gt;" in legend(["<b>"])


def test_a_part_of_the_axis_and_a_log_scale_can_be_chosen() -> None:
    figure = ecdf("ttft-ecdf", "TTFT", [MANY], zoom=(200, 400), kind="log")
    root = Drawn.of(figure.svg).root
    assert (root.get("data-x0"), root.get("data-x1"), root.get("data-scale")) == ("200", "400", "log")
    assert "TTFT, ms, log scale" in Drawn.of(figure.svg).texts("title")
    assert figure.zoom == (200, 400)
    # Without a value above 0 there is no log scale.
    assert Drawn.of(ecdf("x", "X", [Sample("A", 1, [0.0])], kind="log").svg).root.get("data-scale") == "linear"


def test_no_values_are_said() -> None:
    figure = ecdf("ttft-ecdf", "TTFT", [Sample("A", 0, [])])
    assert figure.caption == "There are no values."
    assert Drawn.of(figure.svg).paths("line") == []


def test_a_histogram_counts_between_edges() -> None:
    figure = histogram("ttft-histogram", "TTFT", [0, 10, 20, 30], [1, 4, 2], marks={"P50": 15.0})
    assert figure.caption == "The highest bar has 4 of 7 requests, between 10 and 20 ms."
    assert figure.rows == [(0, 10, 1), (10, 20, 4), (20, 30, 2)]
    (bars,) = Drawn.of(figure.svg).paths("bars")
    assert bars.count("Z") == 3
    assert bars.startswith(f"M{LEFT:.1f},")
    assert histogram("h", "X", [], []).caption == "There are no values."
    part = histogram("h", "X", [0, 10, 20, 30], [100, 4, 2], zoom=(10, 30))
    assert part.rows == [(10, 20, 4), (20, 30, 2)]
    assert Drawn.of(part.svg).root.get("data-y1") == "4"


def test_an_axis_of_values_far_from_zero_begins_near_them() -> None:
    """Otherwise all of the curve is a wall at the right end."""
    far = ecdf("x", "X", [Sample("A", 3, [200.0, 201.0, 205.0])])
    near = ecdf("x", "X", [Sample("A", 3, [50.0, 201.0, 205.0])])
    assert [Drawn.of(figure.svg).root.get("data-x0") for figure in (far, near)] == ["200", "0"]


def test_a_sparkline_shows_the_run_and_its_failures() -> None:
    chart = Drawn.of(sparkline([50.0, None, 100.0, 75.0], [0, 2, 0, 0]))
    (line,), (bad,) = chart.paths("line"), chart.paths("bad")
    assert line == "M0.0,9.0L64.0,1.0L96.0,5.0", "a step without a value is passed over"
    assert bad.count("M") == 1
    assert chart.root.get("aria-label") == "TTFT over the run: 50.0 ms to 100 ms, 2 failed"
    assert sparkline([]) == sparkline([None, None]) == ""
    assert Drawn.of(sparkline([0.0])).paths("line") == ["M0.0,17.0h0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100..300", (100, 300)),
        ("1e2..3e2", (100, 300)),
        ("-5..5", (-5, 5)),
        ("", None),
        ("300..100", None),
        ("5..5", None),
        ("a..b", None),
        ("nan..1", None),
        ("0..inf", None),
        ("100", None),
        ("1..2..3", None),
    ],
)
def test_a_zoom_of_the_url_makes_sense_or_is_ignored(text: str, expected: tuple[float, float] | None) -> None:
    assert zoom_of({"zoom.ttft-ecdf": text}, "ttft-ecdf") == expected
    assert zoom_of({"zoom.ttft-ecdf": text}, "other") is None


def test_a_scale_of_the_url_is_one_of_two() -> None:
    assert scale_of({"scale.a": "log"}, "a") == "log"
    assert scale_of({"scale.a": "x"}, "a") == "linear"
    assert scale_of({"scale.a": "linear"}, "a", "log") == "linear"
    assert scale_of({}, "a", "log") == "log"


def test_a_histogram_counts_in_whole_requests() -> None:
    drawn = Drawn.of(histogram("h", "TTFT", [82, 83], [1]).svg)
    assert {"0", "1"} <= set(drawn.texts("tick"))
    assert "0.5" not in {*drawn.texts("tick"), *drawn.texts("tick odd")}


def test_a_sparkline_of_one_value_is_a_dot_that_is_seen() -> None:
    assert 'class="line alone"' in sparkline([None, 20.0], [0, 0])
    assert "alone" not in sparkline([10.0, 20.0], [0, 0])
