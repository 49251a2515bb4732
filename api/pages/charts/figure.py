"""A figure: a chart with its caption in words, its data as a table, and its CSV. `macros/figure.html` shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

Cell = str | float | int | None

MAX_ROWS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """`id` is unique in the page and names the figure in the URL: `zoom.ttft-ecdf=100..300`."""

    id: str
    title: str
    # One sentence in words: what the chart shows.
    caption: str
    svg: Markup
    # Titles of the data table, with units.
    columns: Sequence[str]
    # At most MAX_ROWS.
    rows: Sequence[Sequence[Cell]]
    csv_url: str | None = None
    # Where the page that has the figure in it is read again when the reader zooms. None: the URL of the page itself.
    # The answer may have other parts too; only the figure is taken.
    url: str | None = None
    # Part of the values on the x axis that is shown, as the reader chose it. None: all.
    zoom: tuple[float, float] | None = None
    # Whether the reader may choose a part.
    zooms: bool = True
    # Kind of the x axis and whether the reader may choose it: the URL has `scale.<id>=log`.
    scale: str = "linear"
    scales: bool = False
