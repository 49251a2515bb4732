"""The stages of a run as a table: what each was asked for, carried and showed, and how it ended."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cli.render.numbers import UNKNOWN, milliseconds, rate
from cli.render.pairs import pair
from cli.render.table import table
from cli.terminal.output import QUIET, WARNING, Line, clean
from shared.benchmark.results.outcome import FAILURES, OUTCOMES

# Ends that a load was not asked to have.
_UNPLANNED = {
    "error_rate": "because too many requests failed (stop_on_error_rate)",
    "saturated": "because it was saturated (stop_when_saturated): requests came faster than they were answered",
    "workload": "because the workload had no more requests",
}
_OPEN = "running"


class _Column(NamedTuple):
    """`write` gets a stage that has ended, with its summary. `needs` says whether any stage has such a number."""

    title: str
    write: Callable[[Mapping[str, Any]], str]
    needs: Callable[[Mapping[str, Any]], object] = lambda _summary: True


def has_several(benchmark: Mapping[str, Any]) -> bool:
    """Whether the run has more than one stage, so that a number over all of it is one over several loads."""
    load = benchmark.get("load") or {}
    return len(benchmark["stages"]) > 1 or bool(load.get("sweep") or load.get("search"))


def stage_label(label: Mapping[str, Any]) -> str:
    """`peak, 30/s`: what tells a stage from the others. Empty if nothing does."""
    words = []
    for name, value in label.items():
        if name == "name":
            words.append(clean(str(value)))
        elif name == "concurrency":
            words.append(f"{value:,} stream{'s' if value != 1 else ''}")
        elif name == "request_rate" and value is not True:
            words.append(f"{value:,.6g}/s")
        elif name == "repeat":
            words += [f"repeat {value}"] if value else []
        else:
            words.append(clean(name.replace("_", " ")))
    return ", ".join(words)


def stage_lines(benchmark: Mapping[str, Any], *, columns: int | None = None) -> Iterator[Line]:
    """A table of several stages; for a single one, only how it ended if that was not planned.

    `columns`: the width to fit into, by default that of the terminal.
    """
    stages = benchmark["stages"]
    if not has_several(benchmark):
        for stage in stages:
            if stage["ended_by"] in _UNPLANNED:
                yield pair("Load", f"ended {_UNPLANNED[stage['ended_by']]}", WARNING)
        return
    if not stages:
        return
    summaries = [stage["summary"] for stage in stages if stage["summary"] is not None]
    chosen = [column for column in _COLUMNS if any(column.needs(summary) for summary in summaries)]
    verdicts = _verdicts(benchmark)
    header = ["stage", "load", "start s", "length s", "ended by", *(column.title for column in chosen)]
    rows = [_row(stage, benchmark["started_at"], chosen) for stage in stages]
    if verdicts:
        header.append("verdict")
        rows = [[*row, verdicts.get(stage["number"], "")] for row, stage in zip(rows, stages, strict=True)]
    right = "rlrrl" + "r" * len(chosen) + "l" * bool(verdicts)
    drop = [header.index(title) for title in _DROPPED_FIRST if title in header]
    yield from table(header, rows, right=right, fit=[1], drop=drop, narrowest=14, columns=columns)
    if summaries:
        yield Line("TTFT and latency in ms, over the succeeded requests of each stage", QUIET, 2)


def _row(stage: Mapping[str, Any], run_start: str | None, columns: Sequence[_Column]) -> list[str]:
    start, end, summary = stage["started_at"], stage["ended_at"], stage["summary"]
    return [
        f"{stage['number']}",
        stage_label(stage["label"]) or UNKNOWN,
        _seconds(run_start, start),
        _seconds(start, end),
        (stage["ended_by"] or _OPEN).replace("_", " "),
        *(UNKNOWN if summary is None else column.write(summary) for column in columns),
    ]


def _seconds(start: str | None, end: str | None) -> str:
    if start is None or end is None:
        return UNKNOWN
    return f"{(datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds():,.1f}"


def _verdicts(benchmark: Mapping[str, Any]) -> dict[int, str]:
    """What a search made of each stage, by number."""
    found = (benchmark["summary"] or {}).get("search") or {}
    if found.get("kind") != "search":
        return {}
    tried = {False: iter(found["probes"]), True: iter(found["sustained"])}
    verdicts = {}
    for stage in benchmark["stages"]:
        probe = next(tried[bool(stage["label"].get("sustain"))], None)
        if probe is not None:
            verdicts[stage["number"]] = _verdict(probe)
    return verdicts


def _verdict(probe: Mapping[str, Any]) -> str:
    if probe["aborted"]:
        return "aborted"
    return ("met" if probe["passed"] else "not met") + ("" if probe["resolved"] else " (not sure)")


def _sent(summary: Mapping[str, Any]) -> int:
    return sum(summary["requests"].get(name, 0) for name in OUTCOMES if name != "dropped")


def _failed(summary: Mapping[str, Any]) -> int:
    return sum(summary["requests"].get(name, 0) for name in FAILURES)


def _outcome(name: str) -> _Column:
    return _Column(
        name,
        lambda summary: f"{summary['requests'].get(name, 0):,}",
        lambda summary: summary["requests"].get(name, 0),
    )


def _rate(title: str, name: str) -> _Column:
    """A rate of an open loop."""
    return _Column(
        title,
        lambda summary: rate((summary["request_rate"] or {}).get(name)),
        lambda summary: summary["request_rate"],
    )


def _percentile(title: str, metric: str, name: str) -> _Column:
    return _Column(title, lambda summary: milliseconds(summary[metric][name]))


def _slo(title: str, write: Callable[[Mapping[str, Any]], str]) -> _Column:
    return _Column(
        title,
        lambda summary: UNKNOWN if not summary.get("slo") else write(summary["slo"]),
        lambda summary: summary.get("slo"),
    )


_COLUMNS = (
    _Column("requests", lambda summary: f"{_sent(summary):,}"),
    _Column("failed", lambda summary: f"{_failed(summary):,}"),
    _outcome("cancelled"),
    _outcome("incomplete"),
    _outcome("dropped"),
    _rate("asked/s", "requested"),
    _rate("sent/s", "achieved"),
    _Column("done/s", lambda summary: rate(summary["request_throughput"])),
    _Column("tokens/s", lambda summary: rate(summary["output_token_throughput"])),
    _percentile("TTFT p50", "ttft_ms", "p50"),
    _percentile("TTFT p95", "ttft_ms", "p95"),
    _percentile("latency p95", "latency_ms", "p95"),
    _slo("goodput", lambda slo: rate(slo["goodput"])),
    _slo("in SLO", lambda slo: UNKNOWN if slo["attainment"] is None else f"{slo['attainment']:.1%}"),
)
# What a narrow terminal can do without, in this order.
_DROPPED_FIRST = (
    "start s",
    "length s",
    "tokens/s",
    "asked/s",
    "cancelled",
    "goodput",
    "ended by",
    "TTFT p50",
    "done/s",
)
