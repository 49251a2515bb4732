"""The grade of a run: how far the measuring itself may have distorted its numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.pairs import pair
from cli.terminal.output import QUIET, WARNING, Line
from shared.numbers.disturbance import PROMISED_MS


def grade_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """The grade with its reasons. There is none if no request succeeded: then there are no numbers to judge."""
    if not summary["requests"]["succeeded"]:
        yield pair("Grade", "none: no request succeeded, so nothing was measured")
    elif measurement := summary.get("measurement"):
        grade = measurement["grade"]
        why = "; ".join(measurement["reasons"]) or f"the measuring itself adds {_promise(grade)} to a TTFT"
        yield pair("Grade", f"{grade}: {why}", "" if grade in "AB" else WARNING)
    elif "measurement" in summary:
        yield pair("Grade", "none: no measured request was sent")


def grade_definition() -> Iterator[Line]:
    """What each grade means."""
    promises = "; ".join(f"{grade}: {_promise(grade)}" for grade in PROMISED_MS)
    text = f"Grade: what the measuring itself may have added to a TTFT. {promises}; D: it may be more."
    yield from (Line(""), Line(text, QUIET, 2))


def _promise(grade: str) -> str:
    return f"less than {PROMISED_MS[grade]:g} ms" if grade in PROMISED_MS else "an unknown time"
