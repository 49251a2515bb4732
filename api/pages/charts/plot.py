"""Draws one chart: axes, then what is put into it, then the labels. Every chart of the pages is made with it.

Values go in, pixels come out. Texts are escaped. Points outside the x axis are cut off, for charts that are zoomed.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from api.pages.charts.axis import Text, x_axis, y_axis
from api.pages.charts.scale import Kind, Scale
from api.pages.charts.text import ROW_PX, Mark, label, rows_of, short, spread, tick_text, width_px
from api.pages.charts.thinning import Point, spaced, thinned

WIDTH, HEIGHT = 560, 300
# A chart that takes the whole width of the page.
WIDE = 1_168
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 30, 44

Values = Iterable[tuple[float, float | None]]


def across(
    values: Iterable[float | None],
    *,
    width: float = WIDTH,
    left: float = LEFT,
    right: float = RIGHT,
    kind: Kind = "linear",
    zero: bool = False,
) -> Scale:
    """A scale for the x axis of a plot of this width."""
    return Scale.over(values, left, width - right, kind, zero=zero)


def up(
    values: Iterable[float | None],
    *,
    height: float = HEIGHT,
    top: float = TOP,
    bottom: float = BOTTOM,
    kind: Kind = "linear",
    zero: bool = True,
) -> Scale:
    """A scale for the y axis of a plot of this height."""
    return Scale.over(values, height - bottom, top, kind, zero=zero)


def room_for(labels: Iterable[str]) -> float:
    """The right margin that labels at the ends of lines need."""
    return max((width_px(short(text)) + 12 for text in labels), default=RIGHT)


class Plot:
    """A chart in the making. `svg()` ends it."""

    def __init__(
        self,
        width: float,
        height: float,
        x: Scale,
        y: Scale,
        x_title: str,
        y_title: str,
        *,
        x_text: Text = tick_text,
        y_text: Text = tick_text,
    ) -> None:
        """Titles name the unit. `x_text` and `y_text` write the values of ticks."""
        self.x, self.y = x, y
        self._width, self._height = width, height
        self._titles = x_title, y_title
        self._axes = y_axis(y, x.start_px, x.end_px, y_title, y_text) + x_axis(x, y.end_px, y.start_px, x_title, x_text)
        self._inside: list[Markup] = []
        self._marks: list[Mark] = []
        self._ends: list[tuple[float, str, str]] = []

    def path(self, points: Values, css: str = "s1", *, name: str = "") -> None:
        """A line. An unknown value is a gap. A `name` stands at its end, and the crosshair shows it."""
        runs: list[list[Point]] = [[]]
        for value, height in points:
            if height is None:
                runs.append([])
            else:
                runs[-1].append((self.x.at(value), self.y.at(height)))
        drawn = [thinned(run) for run in runs if run]
        if not drawn:
            return
        # A run of one point is a dot.
        commands = "".join(
            f"M{_point(run[0])}" + ("L" + " ".join(map(_point, run[1:])) if len(run) > 1 else "h0") for run in drawn
        )
        self._inside.append(Markup('<path class="line {}" data-name="{}" d="{}"/>').format(css, name, commands))
        if name:
            within = [point for point in drawn[-1] if self.x.start_px <= point[0] <= self.x.end_px + 0.5]
            if within:
                self._ends.append((within[-1][1], name, css))

    def steps(self, points: Values, css: str = "s1", *, name: str = "") -> None:
        """A line that goes level until the next value, as an ECDF does."""
        corners: list[tuple[float, float | None]] = []
        for value, height in points:
            if corners and corners[-1][1] is not None:
                corners.append((value, corners[-1][1]))
            corners.append((value, height))
        self.path(corners, css, name=name)

    def dots(self, points: Values, css: str = "s1", *, name: str = "") -> None:
        """A cloud of points in one path. The class decides their shape."""
        drawn = spaced([(self.x.at(value), self.y.at(height)) for value, height in points if height is not None])
        if drawn:
            commands = "".join(f"M{_point(point)}h0" for point in drawn)
            self._inside.append(Markup('<path class="dots {}" data-name="{}" d="{}"/>').format(css, name, commands))

    def failures(self, points: Values) -> None:
        """Crosses, for what failed. Nothing else is red."""
        drawn = spaced([(self.x.at(value), self.y.at(height)) for value, height in points if height is not None])
        if drawn:
            commands = "".join(f"M{x - 3:.1f},{y - 3:.1f}l6,6m0,-6l-6,6" for x, y in drawn)
            self._inside.append(Markup('<path class="crosses bad" d="{}"/>').format(commands))

    def band(self, points: Sequence[tuple[float, float, float]], css: str = "s1") -> None:
        """The area between two lines: x, low, high. For intervals."""
        if len(points) < 2:
            return
        upper = [(self.x.at(value), self.y.at(high)) for value, _, high in points]
        lower = [(self.x.at(value), self.y.at(low)) for value, low, _ in reversed(points)]
        commands = "M" + "L".join(map(_point, [*thinned(upper), *thinned(lower)])) + "Z"
        self._inside.append(Markup('<path class="band {}" d="{}"/>').format(css, commands))

    def bars(self, edges: Sequence[float], heights: Sequence[float | None], css: str = "s1") -> None:
        """Bars side by side, one fewer than edges. The y axis includes 0."""
        foot = self.y.at(0)
        parts = []
        for left, right, height in zip(edges, edges[1:], heights, strict=False):
            if height:
                start, end = self.x.at(left), self.x.at(right)
                gap = min(1.0, (end - start) / 4)
                parts.append(f"M{start:.1f},{foot:.1f}V{self.y.at(height):.1f}H{end - gap:.1f}V{foot:.1f}Z")
        if parts:
            self._inside.append(Markup('<path class="bars {}" d="{}"/>').format(css, "".join(parts)))

    def whisker(self, at: float, low: float, high: float, css: str = "s1") -> None:
        """An upright interval at one x."""
        x, bottom, top = self.x.at(at), self.y.at(low), self.y.at(high)
        commands = f"M{x - 4:.1f},{bottom:.1f}h8M{x - 4:.1f},{top:.1f}h8M{x:.1f},{bottom:.1f}V{top:.1f}"
        self._inside.append(Markup('<path class="whisker {}" d="{}"/>').format(css, commands))

    def vertical(self, value: float, text: str, css: str = "mark") -> None:
        """A line from top to bottom, its text above the chart."""
        if self.x.shows(value):
            at = self.x.at(value)
            self._inside.append(
                Markup('<path class="rule {}" d="M{:.1f},{:.1f}V{:.1f}"/>').format(
                    css, at, self.y.start_px, self.y.end_px
                )
            )
            self._marks.append(Mark(at, text, css))

    def horizontal(self, value: float, text: str, css: str = "mark") -> None:
        """A line from left to right, its text above it at the left."""
        if self.y.shows(value):
            at = self.y.at(value)
            self._inside.append(
                Markup('<path class="rule {}" d="M{:.1f},{:.1f}H{:.1f}"/>').format(
                    css, self.x.start_px, at, self.x.end_px
                )
            )
            self._inside.append(label(self.x.start_px + 4, at - 5, text, f"mark {css}"))

    def note(self, x: float, y: float, text: str, css: str = "note", anchor: str = "start") -> None:
        """A text at a place of the chart."""
        self._inside.append(label(self.x.at(x), self.y.at(y), text, css, anchor))

    def add(self, markup: Markup) -> None:
        """Anything else, in pixels."""
        self._inside.append(markup)

    def svg(self, figure_id: str = "") -> Markup:
        """The whole chart. The figure's title and caption name it for those who do not see it."""
        x, y = self.x, self.y
        top, marks = self._marks_above()
        right, ends = self._labels_at_ends()
        css = "chart wide" if self._width > WIDTH * 1.3 else "chart"
        return Markup(
            '<svg class="{css}" viewBox="0 {top:.0f} {width:.0f} {height:.0f}" role="img" '
            'aria-labelledby="{id}-title {id}-caption" data-x0="{x0:.12g}" data-x1="{x1:.12g}" data-left="{left:.1f}" '
            'data-right="{right:.1f}" data-scale="{xk}" data-y0="{y0:.12g}" data-y1="{y1:.12g}" '
            'data-bottom="{bottom:.1f}" data-top="{upper:.1f}" data-yscale="{yk}" '
            'data-x-title="{xt}" data-y-title="{yt}">{axes}'
            '<svg x="{left:.1f}" y="{area_top:.1f}" width="{area_w:.1f}" height="{area_h:.1f}" '
            'viewBox="{left:.1f} {area_top:.1f} {area_w:.1f} {area_h:.1f}">{inside}</svg>{marks}{ends}</svg>'
        ).format(
            css=css, id=figure_id, top=-top, width=self._width + right, height=self._height + top,
            x0=x.low, x1=x.high, left=x.start_px, right=x.end_px, xk=x.kind,
            y0=y.low, y1=y.high, bottom=y.start_px, upper=y.end_px, yk=y.kind,
            xt=self._titles[0], yt=self._titles[1], axes=self._axes, marks=marks, ends=ends,
            inside=Markup("").join(self._inside),
            # Strokes at the upper end are not cut in half.
            area_top=y.end_px - 2, area_w=x.end_px - x.start_px + 2, area_h=y.start_px - y.end_px + 3,
        )  # fmt: skip

    def _marks_above(self) -> tuple[float, Markup]:
        placed = rows_of(self._marks, self.x.start_px, self._width)
        texts = [
            label(at, self.y.end_px - 16 - (row + 1) * ROW_PX, mark.text, f"mark {mark.css}", "middle")
            for row, at, mark in placed
        ]
        rows = max((row for row, _, _ in placed), default=-1) + 1
        # The y axis has its title below them.
        return max(0.0, rows * ROW_PX + ROW_PX + 17 - self.y.end_px), Markup("").join(texts)

    def _labels_at_ends(self) -> tuple[float, Markup]:
        heights = spread([height + 4 for height, _, _ in self._ends], self.y.end_px + 4, self.y.start_px)
        at = self.x.end_px + 6
        texts = [
            label(at, height, name, f"end {css}") for height, (_, name, css) in zip(heights, self._ends, strict=True)
        ]
        needed = room_for(name for _, name, _ in self._ends) if self._ends else 0.0
        return max(0.0, at + needed - 6 - self._width), Markup("").join(texts)


def _point(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
