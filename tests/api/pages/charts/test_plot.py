"""A plot: what is put in stands at the right pixels, texts are escaped, and nothing needs an inline style."""

import random
from itertools import pairwise

from api.pages.charts.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Plot, across, room_for, up
from api.pages.charts.thinning import MOST
from tests.api.pages.charts.svg import Drawn, points
from tests.api.pages.html import forbidden

HOSTILE = "<script>alert(1)</script>\"'&"


def make_plot(high_x: float = 100, high_y: float = 10, **changes: object) -> Plot:
    return Plot(WIDTH, HEIGHT, across([0, high_x]), up([0, high_y]), "time, s", "TTFT, ms", **changes)  # type: ignore[arg-type]


def drawn(plot: Plot) -> Drawn:
    svg = str(plot.svg("some-figure"))
    assert forbidden(svg) == []
    return Drawn.of(svg)


def test_a_line_goes_through_its_points_and_breaks_where_a_value_is_unknown() -> None:
    plot = make_plot()
    plot.path([(0, 0), (50, 10), (60, None), (100, 5)])
    (line,) = drawn(plot).paths("line")
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    middle = (LEFT + right) / 2
    assert points(line) == [(LEFT, bottom), (middle, TOP), (right, (TOP + bottom) / 2)]
    # The last point stands alone: a dot.
    assert line.count("M") == 2
    assert line.endswith("h0")


def test_steps_stay_level_until_the_next_value() -> None:
    plot = make_plot()
    plot.steps([(0, 0), (50, 10)])
    (line,) = drawn(plot).paths("line")
    assert [round(y) for _, y in points(line)] == [HEIGHT - BOTTOM, HEIGHT - BOTTOM, TOP]


def test_texts_are_escaped_and_long_ones_are_cut() -> None:
    plot = Plot(WIDTH, HEIGHT, across([0, 1]), up([0, 1]), HOSTILE, HOSTILE)
    plot.path([(0, 0), (1, 1)], name=HOSTILE)
    plot.vertical(0.5, HOSTILE)
    plot.horizontal(0.5, HOSTILE)
    plot.note(0.5, 0.5, HOSTILE)
    chart = drawn(plot)
    assert chart.root.get("data-x-title") == HOSTILE
    assert chart.texts("end") == [HOSTILE[:15] + "…"]
    assert {title.text for title in chart.root.iter("title")} == {HOSTILE}


def test_no_chart_has_more_than_4000_points_and_peaks_stay() -> None:
    made = random.Random(1)
    values = [(float(index), made.random()) for index in range(100_000)]
    values[54_321] = (54_321.0, 10.0)
    plot = make_plot(high_x=100_000)
    plot.path(values)
    plot.dots(values)
    plot.failures(values)
    chart = drawn(plot)
    (line,), (cloud,), (crosses,) = chart.paths("line"), chart.paths("dots"), chart.paths("crosses")
    assert len(points(line)) <= MOST
    assert min(y for _, y in points(line)) == TOP
    assert cloud.count("M") <= MOST
    assert crosses.count("M") <= MOST


def test_labels_at_the_ends_of_lines_do_not_cover_each_other() -> None:
    plot = make_plot()
    names = [f"series {number}" for number in range(8)]
    for number, name in enumerate(names):
        plot.path([(0, 0), (100, 5 + number / 100)], f"s{number + 1}", name=name)
    chart = drawn(plot)
    heights = sorted(float(text.get("y", "")) for text in chart.root.iter("text") if "end" in text.get("class", ""))
    assert len(heights) == 8
    assert all(later - earlier >= 15.9 for earlier, later in pairwise(heights))
    # They have room at the right.
    assert chart.box()[2] >= WIDTH - RIGHT + room_for(names)


def test_marks_stand_above_each_other_where_they_are_close() -> None:
    plot = make_plot()
    for at, text in ((50, "P50 142"), (51, "P95 143"), (90, "P99 371")):
        plot.vertical(at, text)
    plot.vertical(101, "outside")
    chart = drawn(plot)
    heights = {
        text.text: float(text.get("y", "")) for text in chart.root.iter("text") if "mark" in text.get("class", "")
    }
    assert heights.keys() == {"P50 142", "P95 143", "P99 371"}
    assert heights["P50 142"] == heights["P99 371"] != heights["P95 143"]
    assert chart.box()[1] <= min(heights.values()) - 12


def test_bars_stand_on_zero_and_touch_the_edges() -> None:
    plot = make_plot()
    plot.bars([0, 50, 100], [10, 0])
    (bars,) = drawn(plot).paths("bars")
    assert (
        bars
        == f"M{LEFT:.1f},{HEIGHT - BOTTOM:.1f}V{TOP:.1f}H{(LEFT + WIDTH - RIGHT) / 2 - 1:.1f}V{HEIGHT - BOTTOM:.1f}Z"
    )


def test_the_script_finds_the_axes_and_readers_the_names() -> None:
    chart = drawn(make_plot())
    told = chart.root.attrib
    assert (told["role"], told["aria-labelledby"]) == ("img", "some-figure-title some-figure-caption")
    assert (told["data-x0"], told["data-x1"], told["data-scale"]) == ("0", "100", "linear")
    assert (float(told["data-left"]), float(told["data-right"])) == (LEFT, WIDTH - RIGHT)
    assert (told["data-y0"], told["data-y1"]) == ("0", "10")
    assert chart.texts("title") == ["TTFT, ms", "time, s"]


def test_what_is_empty_draws_nothing() -> None:
    plot = make_plot()
    plot.path([])
    plot.path([(1, None)])
    plot.dots([])
    plot.failures([])
    plot.band([(1, 2, 3)])
    plot.bars([], [])
    chart = drawn(plot)
    assert not any(chart.paths(css) for css in ("line", "dots", "crosses", "band", "bars"))


def test_intervals_are_bands_and_whiskers() -> None:
    plot = make_plot()
    plot.band([(0, 1, 2), (100, 3, 4)])
    plot.whisker(50, 2, 8, "s2")
    chart = drawn(plot)
    (band,), (whisker,) = chart.paths("band"), chart.paths("whisker")
    assert len(points(band)) == 4
    assert band.endswith("Z")
    assert whisker.count("M") == 3
