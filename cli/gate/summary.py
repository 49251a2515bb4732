"""Writes verdicts and key figures as Markdown, for the page of a build. Texts of others are never markup."""

from collections.abc import Iterator, Sequence

from cli.gate.judge import Verdict
from cli.gate.measure import COST_PER_1000, ERROR_RATE, MEASURES, Measure
from cli.gate.reading import Reading, read
from cli.gate.report import Report
from cli.gate.words import between, shown
from cli.render.numbers import UNKNOWN
from cli.terminal.output import clean

# Names are cut to this length, and sentences to that one.
_NAME_MOST = 200
_MOST = 1_000
_VERBS = {"failed": "failed", "undecided": "is undecided", "passed": "passed"}
_KEY_FIGURES: tuple[tuple[str, Measure, str | None], ...] = (
    ("TTFT p50", MEASURES["ttft_ms"], "p50"),
    ("TTFT p95", MEASURES["ttft_ms"], "p95"),
    ("Latency p50", MEASURES["latency_ms"], "p50"),
    ("Latency p95", MEASURES["latency_ms"], "p95"),
    ("Tokens/s p50", MEASURES["tokens_per_second"], "p50"),
    ("Error rate", ERROR_RATE, None),
    ("Cost per 1,000 requests", COST_PER_1000, None),
)


def markdown(report: Report) -> str:
    """Ends with an empty line, so that more can be appended. GitHub and GitLab show it alike."""
    return "\n".join(_lines(report)) + "\n\n"


def _lines(report: Report) -> Iterator[str]:
    benchmark = report.benchmark
    name = code(benchmark["name"])
    yield f"### llmbench: {report.outcome}"
    yield ""
    where = f"{code(benchmark['model'])} at {code(benchmark['provider'])}"
    yield f"{_link(name, report.page)}, {where}, {escaped(report.sentence)}."
    if report.verdicts:
        yield ""
        yield from _table(
            ("Rule", "Verdict", "Value", "95 % interval", "Bound", "n"), [_row(verdict) for verdict in report.verdicts]
        )
        yield ""
        for verdict in report.verdicts:
            if verdict.outcome != "passed" or verdict.left_out:
                yield f"- `{verdict.rule.text}` {_VERBS[verdict.outcome]}: {escaped(verdict.reason)}."
    yield from _comparison(report)
    yield ""
    yield "<details><summary>Key figures</summary>"
    yield ""
    figures = [
        (title, measure, read(measure, statistic, benchmark["summary"])) for title, measure, statistic in _KEY_FIGURES
    ]
    yield from _table(
        ("", "Value", "95 % interval", "n"), [(title, *_cells(measure, of)) for title, measure, of in figures]
    )
    for title, _, of in figures:
        if of.left_out:
            yield ""
            yield f"{title}: {of.left_out}."
    grade = ((benchmark["summary"] or {}).get("measurement") or {}).get("grade")
    yield ""
    yield f"Grade of the measurement: {escaped(str(grade or UNKNOWN))}."
    yield ""
    yield "</details>"


def _comparison(report: Report) -> Iterator[str]:
    if report.baseline is None or report.comparison is None:
        return
    yield ""
    link = _link("Compared", report.comparison_page)
    yield f"{link} with the baseline {escaped(report.baseline.shown)}; A is the baseline, B this run:"
    yield ""
    for reason in report.comparison.get("withheld") or ():
        yield f"- Not comparable: {escaped(reason)}"
    for metric in report.comparison["metrics"]:
        for item in metric["differences"]:
            if item["id"] == report.benchmark["id"] and item["difference"] is not None:
                yield f"- {escaped(item['sentence'])}"
    for note in report.comparison.get("notes") or ():
        yield f"- Note: {escaped(note)}"


def _row(verdict: Verdict) -> tuple[str, ...]:
    measure = verdict.rule.measure
    value, interval, n = _cells(measure, verdict.reading)
    outcome = verdict.outcome if verdict.outcome == "passed" else f"**{verdict.outcome}**"
    bound = UNKNOWN if verdict.bound is None else shown(verdict.bound, measure.unit)
    return f"`{verdict.rule.text}`", outcome, value, interval, bound, n


def _cells(measure: Measure, reading: Reading) -> tuple[str, str, str]:
    value = UNKNOWN if reading.value is None else shown(reading.value, measure.unit)
    interval = UNKNOWN if reading.interval is None else between(reading.interval, measure.unit)
    return value, interval, UNKNOWN if reading.n is None else f"{reading.n:,}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _link(text: str, url: str | None) -> str:
    return text if url is None else f"[{text}](<{url}>)"


def code(text: str) -> str:
    """A text of others as code: GitHub makes no mentions, references or links of it."""
    return f"<code>{escaped(text, _NAME_MOST)}</code>"


def escaped(text: str, most: int = _MOST) -> str:
    """The text, in which no character means anything in Markdown or HTML, on one line."""
    cut = clean(text if len(text) <= most else f"{text[:most]}…")
    return "".join(
        character if not character.isascii() or character.isalnum() or character in " ,%" else f"&#{ord(character)};"
        for character in cut
    )
