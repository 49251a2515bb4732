"""The figure around a chart: caption, data, CSV, zoom by form. Texts in it are text."""

from datetime import UTC, datetime

from markupsafe import Markup

from api.pages.charts.distribution import Sample, ecdf
from api.pages.charts.figure import Figure
from api.pages.charts.plot import HEIGHT, WIDE, Plot, across, up
from api.pages.site import environment
from tests.api.pages.html import Page, forbidden

TEMPLATE = '{% from "macros/figure.html" import figure with context %}{{ figure(f) }}'
HOSTILE = "<img src=x onerror=alert(1)>"
TTFT = ecdf("ttft-ecdf", "TTFT", [Sample("A", 3, [1.0, 2.0, 3.0])], csv_url="/csv", url="/some/page?a=1", zoom=(1, 2.5))


def shown(figure: Figure, printed: bool = False, query: tuple[tuple[str, str], ...] = ()) -> Page:
    template = environment().from_string(TEMPLATE)
    markup = template.render(f=figure, printed=printed, query=query, now=datetime(2025, 1, 15, tzinfo=UTC))
    assert forbidden(markup) == []
    return Page(markup)


def test_title_and_caption_name_the_chart() -> None:
    page = shown(TTFT)
    (chart,) = page.all("svg", role="img")
    names = {attributes.get("id") for _, attributes in page.elements}
    assert set(chart["aria-labelledby"].split()) == {"ttft-ecdf-title", "ttft-ecdf-caption"} <= names
    assert TTFT.caption in page.text
    (figure,) = page.all("figure", id="ttft-ecdf")
    assert figure["data-url"] == "/some/page?a=1"


def test_its_data_is_a_table_and_a_file() -> None:
    page = shown(TTFT)
    assert len(page.all("tr")) == 101
    assert [link["href"] for link in page.all("a")] == ["/csv"]
    assert page.all("td", title="2")


def test_a_form_zooms_and_keeps_the_rest_of_the_url() -> None:
    page = shown(TTFT, query=(("ids", "1,2"), ("zoom.ttft-ecdf", "0..9"), ("zoom.other", "1..2"), ("x", HOSTILE)))
    hidden = {(field["name"], field["value"]) for field in page.all("input", type="hidden")}
    assert hidden == {("ids", "1,2"), ("zoom.other", "1..2"), ("x", HOSTILE)}
    (field,) = page.all("input", name="zoom.ttft-ecdf")
    assert field["value"] == "1..2.5"
    assert page.all("select", name="scale.ttft-ecdf")


def test_hostile_texts_are_text() -> None:
    figure = Figure(
        "x", HOSTILE, HOSTILE, Markup("<svg></svg>"), [HOSTILE], [[HOSTILE], [None], [1.5], [7]], zooms=False
    )
    page = shown(figure)
    assert page.all("img") == []
    assert page.text.count(HOSTILE) == 4
    assert "– 1.50 7" in page.text
    assert page.all("form") == []


def test_a_long_table_is_cut_and_says_so() -> None:
    figure = Figure("x", "X", "Y.", Markup(""), ["n"], [[number] for number in range(1_000)], csv_url="/csv")
    page = shown(figure)
    assert len(page.all("tr")) == 201
    assert "The first 200 of 1,000 rows. The CSV has all." in page.text


def test_print_has_the_chart_alone() -> None:
    page = shown(TTFT, printed=True)
    assert page.all("svg", role="img")
    assert page.all("details") == page.all("form") == page.all("table") == []


def test_a_wide_chart_can_be_scrolled_by_keyboard() -> None:
    plot = Plot(WIDE, HEIGHT, across([0, 1], width=WIDE), up([0, 1]), "x", "y")
    (place,) = shown(Figure("x", "X", "Y.", plot.svg("x"), ["n"], [])).all("div", class_="plot")
    assert place["tabindex"] == "0"
    (place,) = shown(TTFT).all("div", class_="plot")
    assert "tabindex" not in place
