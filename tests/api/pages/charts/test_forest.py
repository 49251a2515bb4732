"""The forest plot: a row a difference, what has no interval or no verdict, and what leaves the chart."""

import re

from api.pages.charts.forest import Row, forest
from tests.api.pages.html import forbidden


def row(title: str, value: float | None, interval: tuple[float, float] | None, **changes: object) -> Row:
    return Row(
        **{
            "title": title,
            "css": "s2",
            "value": value,
            "interval": interval,
            "margin": 5.0,
            "shown": "+180 ms",
            "verdict": "different",
            **changes,
        }  # type: ignore[arg-type]
    )


def test_each_row_has_its_interval_its_value_and_its_margin() -> None:
    rows = [row("P50 TTFT", 30.0, (20.0, 40.0), is_better=False), row("P95 TTFT", -12.0, (-20.0, -4.0), is_better=True)]
    found = forest("f", "Differences", rows, caption="Said in words.")
    svg = str(found.svg)
    assert svg.count('class="whisker s2"') == svg.count('class="dots s2"') == svg.count('class="band margin"') == 2
    assert "▼ worse" in svg
    assert "▲ better" in svg
    assert found.rows[0] == ("P50 TTFT", 30.0, 20.0, 40.0, 5.0, "+180 ms", "different")
    assert forbidden(svg) == []
    # Both are on one axis: what is lower is further left.
    places = [float(at) for at in re.findall(r'class="dots s2" d="M([\d.]+),', svg)]
    assert places[0] > places[1]


def test_a_difference_without_an_interval_has_its_dot_alone() -> None:
    svg = str(forest("f", "Differences", [row("P50", 3.0, None, margin=None)], caption="-").svg)
    assert svg.count("whisker") == 0
    assert svg.count('class="dots s2"') == 1
    assert forest("f", "Differences", [row("P50", None, None)], caption="-").rows[0][1] is None


def test_one_wide_interval_does_not_squeeze_the_others() -> None:
    """It ends in an arrow at the edge."""
    rows = [row("P50", 10.0, (8.0, 12.0)), row("P99", 12.0, (-300.0, 900.0))]
    svg = str(forest("f", "Differences", rows, caption="-").svg)
    narrow, wide = re.findall(r'class="whisker s2" d="M([\d.]+),[\d.]+H([\d.]+)', svg)
    assert float(wide[1]) < 1_168
    assert float(narrow[1]) - float(narrow[0]) > 40
    assert svg.count("l-6,4l6,4") + svg.count("l6,4l-6,4") == 2


def test_texts_are_texts() -> None:
    svg = str(forest("f", "x", [row("<b>&", 1.0, (0.0, 2.0), shown="<i>")], caption="-").svg)
    assert "<b>" not in svg
    assert "<i>" not in svg
    assert "&lt;b&gt;&amp;" in svg
    assert forest("f", "x", [], caption="-").svg


def test_ticks_are_round() -> None:
    svg = str(forest("f", "x", [row("P50", 90.0, (-60.0, 95.0))], caption="-").svg)
    assert {">−50<", ">0<", ">+50<"} <= set(re.findall(r">[−+\d.]+<", svg))
