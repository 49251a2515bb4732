"""A sparkline: a metric over the time of a run, as small as a word. Failures are marks below it."""

from collections.abc import Sequence

from markupsafe import Markup

from api.pages.words.numbers import duration_ms

WIDTH, HEIGHT = 96, 22
_MARKS = 4


def sparkline(values: Sequence[float | None], failed: Sequence[int] = (), what: str = "TTFT") -> Markup:
    """Values in equal steps of time. It begins at 0, so that a quiet run looks quiet.

    A step without a value (no request was sent in it) is passed over by the line.
    """
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if not known:
        return Markup("")
    lowest, highest = min(value for _, value in known), max(value for _, value in known)
    step = WIDTH / max(len(values) - 1, 1)
    room = HEIGHT - _MARKS - 2
    points = [f"{index * step:.1f},{1 + room * (1 - value / (highest or 1.0)):.1f}" for index, value in known]
    # A point alone is a dot.
    line = f"M{'L'.join(points)}{'h0' if len(points) == 1 else ''}"
    marks = "".join(
        f"M{index * step:.1f},{HEIGHT - _MARKS + 1}v{_MARKS - 1}" for index, count in enumerate(failed) if count
    )
    said = f"{what} over the run: {duration_ms(lowest)} to {duration_ms(highest)}"
    if any(failed):
        said += f", {sum(failed):,} failed"
    return Markup(
        '<svg class="sparkline" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{said}">'
        '<title>{said}</title><path class="zero" d="M0,{zero}h{w}"/><path class="line{alone}" d="{line}"/>{bad}</svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        said=said,
        zero=1 + room,
        line=line,
        alone=" alone" if len(points) == 1 else "",
        bad=Markup('<path class="bad" d="{}"/>').format(marks) if marks else "",
    )
