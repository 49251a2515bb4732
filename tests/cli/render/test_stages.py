"""The stages of a run, and what is said over all of them."""

from collections.abc import Iterable
from typing import Any

import pytest

from api.schemas.stages import StageOut
from cli.follow import progress_text
from cli.render.benchmark import benchmark_lines
from cli.render.stages import stage_label, stage_lines
from cli.terminal.output import Line
from tests.cli import documents
from tests.cli.render.test_load import SLO

RATES = {"requested": 30.0, "achieved": 29.1}
CALM, PEAK = documents.stage(0, {"name": "calm", "concurrency": 4}), documents.stage(1, {"concurrency": 8})


def _text(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _cells(benchmark: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of the table as cells by title. Columns are at least two spaces apart."""
    lines = [line.text for line in stage_lines(benchmark)]
    header, *rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[:-1]]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_each_stage_has_a_row_with_its_own_numbers() -> None:
    StageOut.model_validate(PEAK)
    calm, peak = _cells(documents.benchmark(stages=[CALM, PEAK]))
    assert calm["load"] == "calm, 4 streams"
    assert peak == {
        "stage": "1",
        "load": "8 streams",
        "start s": "30.0",
        "length s": "30.0",
        "ended by": "requests",
        "requests": "20",
        "failed": "0",
        "done/s": "2.00",
        "tokens/s": "32.0",
        "TTFT p50": "210.0",
        "TTFT p95": "219.0",
        "latency p95": "519.0",
    }


def test_slos_rates_and_what_the_load_cut_off_have_columns_where_there_are_such_numbers() -> None:
    summary = documents.summary(succeeded=20, slo=SLO, request_rate=RATES)
    summary["requests"] |= {"errored": 2, "incomplete": 3, "dropped": 4}
    stages = [documents.stage(0, {"request_rate": 30}, summary=summary, ended_by="error_rate"), PEAK]
    first, second = _cells(documents.benchmark(stages=stages))
    assert (first["asked/s"], first["sent/s"], first["ended by"]) == ("30.0", "29.1", "error rate")
    # A dropped request was not sent.
    assert [first[name] for name in ("requests", "failed", "incomplete", "dropped")] == ["25", "2", "3", "4"]
    assert (first["goodput"], first["in SLO"]) == ("4.31", "94.2%")
    assert [second[name] for name in ("asked/s", "goodput", "in SLO", "dropped")] == ["–", "–", "–", "0"]


def test_over_several_loads_no_throughput_and_no_requested_concurrency_is_shown() -> None:
    summary = documents.summary(concurrency={"requested": 8, "peak": 7, "mean": 3.1}, slo=SLO)
    text = _text(benchmark_lines(documents.benchmark(stages=[CALM, PEAK], summary=summary)))
    assert "All stages together" in text
    assert "Concurrency  7 at the peak\n" in text
    assert "SLOs         113 of 120 met all SLOs" in text
    assert "Throughput" not in text
    assert "Goodput" not in text
    one = _text(benchmark_lines(documents.benchmark(stages=[CALM], summary=summary)))
    assert "Throughput" in one
    assert "Goodput" in one
    assert "All stages together" not in one


def test_a_single_stage_is_told_only_if_its_end_was_not_planned() -> None:
    assert list(stage_lines(documents.benchmark(stages=[CALM]))) == []
    saturated = documents.benchmark(stages=[{**CALM, "ended_by": "saturated"}])
    assert _text(stage_lines(saturated)).startswith("Load         ended because it was saturated")


def test_a_stage_in_progress_has_no_numbers_yet() -> None:
    now = documents.stage(1, {"concurrency": 8}, ended_at=None, ended_by=None, summary=None)
    running = documents.benchmark(status="running", stages=[CALM, now])
    running["progress"]["total"] = None
    row = _cells(running)[1]
    assert (row["ended by"], row["length s"], row["TTFT p50"]) == ("running", "–", "–")
    assert "Requests     0 done, 0 errors" in _text(benchmark_lines(running))


@pytest.mark.parametrize(
    ("load", "source", "shown"),
    [
        ({"concurrency": 50}, None, "50 requested, 7 at the peak"),
        ({"burst": {"requests": 5, "every_s": 1}}, None, "7 at the peak, at most 50 allowed"),
        ({"rate_series": [[0, 1], [5, 9]]}, None, "7 at the peak, at most 50 allowed"),
        (None, "trace", "7 at the peak, at most 50 allowed"),
        (None, "builtin", "50 requested, 7 at the peak"),
    ],
)
def test_only_a_closed_loop_requests_a_concurrency(load: Any, source: str | None, shown: str) -> None:
    summary = documents.summary(concurrency={"requested": 50, "peak": 7})
    benchmark = documents.benchmark(summary=summary, load=load, workload=source and {"source": source})
    assert f"Concurrency  {shown}" in _text(benchmark_lines(benchmark))


def test_a_search_says_what_it_made_of_each_stage_and_shows_no_times_over_all_of_them() -> None:
    def tried(**changes: Any) -> dict[str, Any]:
        probe = {"concurrency": 8, "met": 9, "attempted": 9, "attainment": 1.0, "attainment_ci95": (0.7, 1.0)}
        return {**probe, "passed": True, "resolved": True, "aborted": False, **changes}

    search = {
        "kind": "search",
        "status": "converged",
        "reason": "the SLOs are met at concurrency 4 and not at 8",
        "concurrency": 4,
        "flags": [],
        "is_sustained": True,
        "probes": [tried(resolved=False), tried(passed=False), tried(aborted=True)],
        "sustained": [tried()],
    }
    labels = [{"concurrency": 4, "repeat": 0}, {"concurrency": 8}, {"concurrency": 8, "repeat": 1}]
    stages = [documents.stage(number, label) for number, label in enumerate(labels)]
    stages.append(documents.stage(3, {"concurrency": 4, "sustain": True}))
    found = documents.benchmark(stages=stages, summary=documents.summary(search=search), load={"search": {}})
    assert [row["verdict"] for row in _cells(found)] == ["met (not sure)", "not met", "aborted", "met"]
    assert _cells(found)[2]["load"] == "8 streams, repeat 1"
    text = _text(benchmark_lines(found))
    assert "Search       4 streams (converged)" in text
    assert "TTFT (ms)" not in text


def test_a_narrow_terminal_loses_columns_and_keeps_the_others() -> None:
    summary = documents.summary(succeeded=20, slo=SLO, request_rate=RATES)
    name = "a rather long name that a narrow terminal has no room for"
    stages = [documents.stage(number, {"name": name}, summary=summary) for number in range(3)]
    wide = [line.text for line in stage_lines(documents.benchmark(stages=stages))]
    assert max(map(len, wide)) > 120
    for columns in (60, 80, 120):
        shown = stage_lines(documents.benchmark(stages=stages), columns=columns)
        lines = [line for line in shown if line.hang is None]
        assert max(len(line.text) for line in lines) <= columns
        assert "in SLO" in _text(lines)
        assert "latency p95" in _text(lines)


def test_a_label_cannot_steer_the_terminal() -> None:
    assert stage_label({"name": "a\x1b[2Jb", "burst": True, "request_rate": 2.5}) == "a\ufffd[2Jb, burst, 2.5/s"
    assert stage_label({}) == ""


def test_progress_names_the_stage_and_its_recent_rate() -> None:
    live = {"stage": {"number": 1, "label": {"name": "peak"}}, "in_flight": 31, "recent": {"request_rate": 29.24}}
    state = {"done": 12, "total": None, "errors": 0, "last_ttft_ms": None, "cost_usd": None, "metrics": live}
    assert progress_text(state) == "stage 1 (peak) · 12 done · 29.2/s, 31 in flight"
    # The only stage of a load has nothing to tell it from others.
    live["stage"] = {"number": 0, "label": {}}
    assert progress_text(state) == "12 done · 29.2/s, 31 in flight"
