"""Axes: gridlines as light as can be, ticks with their values, a title with the unit. `Plot` draws them."""

from collections.abc import Callable

from markupsafe import Markup

from api.pages.charts.scale import Scale
from api.pages.charts.text import tick_text

Text = Callable[[float], str]


def x_axis(scale: Scale, top_px: float, bottom_px: float, title: str, text: Text = tick_text) -> Markup:
    """Ticks below the chart, the title below them at the right end."""
    parts = [
        Markup('<path class="axis" d="M{:.1f},{:.1f}H{:.1f}"/>').format(scale.start_px, bottom_px, scale.end_px),
    ]
    for number, value in enumerate(scale.ticks(6)):
        at = scale.at(value)
        parts.append(
            Markup(
                '<path class="tick" d="M{0:.1f},{1:.1f}v4"/><text class="tick{4}" x="{0:.1f}" y="{2:.1f}" '
                'text-anchor="middle">{3}</text>'
            ).format(at, bottom_px, bottom_px + 22, text(value), _odd(number))
        )
    kind = ", log scale" if scale.kind == "log" else ""
    parts.append(
        Markup('<text class="title" x="{:.1f}" y="{:.1f}" text-anchor="end">{}{}</text>').format(
            scale.end_px, bottom_px + 40, title, kind
        )
    )
    return Markup("").join(parts)


def y_axis(scale: Scale, left_px: float, right_px: float, title: str, text: Text = tick_text) -> Markup:
    """Gridlines with their values at the left, the title above them."""
    parts = []
    for number, value in enumerate(scale.ticks(5)):
        at = scale.at(value)
        parts.append(
            Markup(
                '<path class="grid" d="M{1:.1f},{0:.1f}H{2:.1f}"/><text class="tick{5}" x="{3:.1f}" y="{4:.1f}" '
                'text-anchor="end">{6}</text>'
            ).format(at, left_px, right_px, left_px - 8, at + 4, _odd(number), text(value))
        )
    kind = ", log scale" if scale.kind == "log" else ""
    parts.append(
        Markup('<text class="title" x="0" y="{:.1f}">{}{}</text>').format(
            min(scale.start_px, scale.end_px) - 16, title, kind
        )
    )
    return Markup("").join(parts)


def _odd(number: int) -> str:
    """Every second value is left out where the figure is narrow."""
    return " odd" if number % 2 else ""
