"""Verdicts of rules as lines."""

from cli.gate.judge import Outcome
from cli.gate.report import Report
from cli.terminal.output import BAD, GOOD, QUIET, WARNING, Line, clean

_STYLES: dict[Outcome, str] = {"passed": "", "failed": BAD, "undecided": WARNING}
_WIDTH = len("undecided") + 2


def gate_lines(report: Report) -> list[Line]:
    """The outcome, then a line for each rule with its reason."""
    outcome = report.outcome
    lines = [Line(clean(f"gate {outcome}: {report.sentence}"), _STYLES[outcome] or GOOD, 2)]
    for verdict in report.verdicts:
        text = f"{verdict.outcome:<{_WIDTH}}{verdict.rule.text}: {verdict.reason}"
        lines.append(Line(clean(text), _STYLES[verdict.outcome], _WIDTH))
    if report.baseline is not None and report.comparison is not None:
        lines.append(Line(clean(f"baseline {report.baseline.shown}"), QUIET, 2))
    return lines
