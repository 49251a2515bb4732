"""A calibration as a table and two sentences."""

from typing import Any

from cli.render.table import table
from cli.terminal.output import GOOD, WARNING, Line


def calibration_lines(calibration: dict[str, Any]) -> list[Line]:
    """The lines to print. `calibration` is the document of `GET /workers`."""
    header = ("streams", "requests", "events/s", "TTFT error p50 (ms)", "p99 (ms)", "doubtful", "grade")
    rows = [
        (
            f"{level['concurrency']:,}",
            f"{level['requests']:,}",
            f"{level['event_throughput']:,}",
            f"{level['error_p50_ms']:.3f}",
            f"{level['error_p99_ms']:.3f}",
            f"{level['doubtful_requests']:,}",
            level["grade"],
        )
        for level in calibration["levels"]
    ]
    return [
        *table(header, rows, right="rrrrrrl", drop=(2, 1)),
        Line(""),
        *(_words(calibration, bound) for bound in (1, 5)),
    ]


def _words(calibration: dict[str, Any], bound_ms: int) -> Line:
    within, highest = calibration[f"streams_within_{bound_ms}ms"], calibration["levels"][-1]["concurrency"]
    if within is None:
        least = calibration["levels"][0]["concurrency"]
        return Line(f"within {bound_ms} ms: not even with {least:,} stream{'s' if least > 1 else ''}", WARNING)
    most = f"{within:,} stream{'s' if within > 1 else ''} at the same time"
    tail = ", the highest load tried" if within == highest else ""
    return Line(f"within {bound_ms} ms: up to {most}{tail}", GOOD)
