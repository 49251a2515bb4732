"""A sparkline: a metric over the time of a run, as small as a word. Failures are marks below it."""

from collections.abc import Sequence

from markupsafe import Markup

from api.pages.words.numbers import duration_ms

WIDTH, HEIGHT = 96, 22
_MARKS = 4


def sparkline(values: Sequence[float | None], failed: Sequence[int] = (), what: str = "TTFT") -> Markup:
    """Values in equal steps of time; None is a gap. It begins at 0, so that a quiet run looks quiet."""
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    highest = max(known) or 1.0
    step = WIDTH / max(len(values) - 1, 1)
    room = HEIGHT - _MARKS - 2
    commands, begun = [], False
    for index, value in enumerate(values):
        if value is None:
            begun = False
            continue
        commands.append(f"{'L' if begun else 'M'}{index * step:.1f},{1 + room * (1 - value / highest):.1f}")
        # A point alone is a dot.
        if not begun and (index + 1 == len(values) or values[index + 1] is None):
            commands.append("h0")
        begun = True
    marks = "".join(
        f"M{index * step:.1f},{HEIGHT - _MARKS + 1}v{_MARKS - 1}" for index, count in enumerate(failed) if count
    )
    said = f"{what} over the run: {duration_ms(min(known))} to {duration_ms(max(known))}"
    if any(failed):
        said += f", {sum(failed):,} failed"
    return Markup(
        '<svg class="sparkline" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{said}">'
        '<title>{said}</title><path class="line" d="{line}"/>{bad}</svg>'
    ).format(
        w=WIDTH,
        h=HEIGHT,
        said=said,
        line="".join(commands),
        bad=Markup('<path class="bad" d="{}"/>').format(marks) if marks else "",
    )
