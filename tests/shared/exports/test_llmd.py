"""Reports of llm-d: only fields and units of its schema 0.2, and only what was measured."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import yaml

from shared.exports.llmd import report, report_yaml
from tests.shared.db.rows import AT, make_spec
from tests.support.databases.many_rows import a_summary

# Of the published schema: each object and its fields. Required ones have a `!`.
SCHEMA: dict[str, str] = {
    "": "version run! scenario results!",
    "run": "uid! eid cid pid time user description keywords",
    "run.time": "start end duration",
    "scenario": "stack load",
    "scenario.load": "metadata! standardized! native!",
    "scenario.load.metadata": "schema_version cfg_id description",
    "scenario.load.standardized": "tool! tool_version! parallelism source! stage input_seq_len! output_seq_len prefix "
    "multi_turn rate_qps concurrency",
    "scenario.load.standardized.input_seq_len": "distribution! value! std_dev min max",
    "scenario.load.standardized.output_seq_len": "distribution! value! std_dev min max",
    "scenario.load.native": "args envars config",
    "results": "request_performance observability profiling component_health",
    "results.request_performance": "aggregate time_series",
    "results.request_performance.aggregate": "requests latency throughput",
    "results.request_performance.aggregate.requests": "total! failures incomplete input_length output_length",
    "results.request_performance.aggregate.latency": "time_to_first_token normalized_time_per_output_token "
    "time_per_output_token inter_token_latency request_latency",
    "results.request_performance.aggregate.throughput": "input_token_rate output_token_rate "
    "total_token_rate request_rate",
}
STATISTICS = "units! mean! mode stddev min p0p1 p1 p5 p10 p25 p50 p75 p90 p95 p99 p99p9 max"
UNITS = {"count", "s", "s/token", "tokens/s", "queries/s"}


def row(**changes: Any) -> Any:
    spec = make_spec(metadata={"team": "search"}).model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
    ended = AT + timedelta(seconds=2.5)
    values = {"name": "x: {{ \u2028", "provider": "p", "created_at": AT, "started_at": AT, "completed_at": ended}
    return SimpleNamespace(**{**values, "summary": a_summary(), "spec_document": spec, **changes})


def check(value: Any, path: str = "") -> None:
    """Raises AssertionError for a field that the schema does not have, or lacks."""
    if path.endswith(("keywords", "config")) or not isinstance(value, dict):
        return
    is_statistics = "units" in value
    fields = (STATISTICS if is_statistics else SCHEMA[path]).split()
    assert set(value) <= {field.rstrip("!") for field in fields}, path
    assert {field[:-1] for field in fields if field.endswith("!")} <= set(value), path
    if is_statistics:
        assert value["units"] in UNITS
    for name, item in value.items():
        check(item, f"{path}.{name}".lstrip("."))


def test_a_report_has_only_fields_of_the_schema() -> None:
    check(report(row()))
    check(report(row(started_at=None)))
    nothing = a_summary()
    nothing |= {"ttft_ms": {**nothing["ttft_ms"], "mean": None}, "request_throughput": None, "tokens": {}}
    check(report(row(summary=nothing)))


def test_times_are_seconds() -> None:
    aggregate = report(row())["results"]["request_performance"]["aggregate"]
    ttft = aggregate["latency"]["time_to_first_token"]
    assert (ttft["units"], ttft["mean"], ttft["p50"]) == ("s", 0.1195, 0.1195)
    assert "p99" not in ttft
    assert aggregate["requests"] == {
        "total": 40,
        "failures": 0,
        "incomplete": 0,
        "input_length": {"units": "count", "mean": 18.0},
        "output_length": {"units": "count", "mean": 5.0},
    }


def test_the_mean_length_is_unknown_if_requests_failed() -> None:
    summary = a_summary()
    summary["requests"] = {**summary["requests"], "errored": 2, "cancelled": 1, "dropped": 7}
    requests = report(row(summary=summary))["results"]["request_performance"]["aggregate"]["requests"]
    assert requests == {"total": 43, "failures": 2, "incomplete": 1}


def test_the_mean_length_is_that_of_the_requests_that_reported_it() -> None:
    summary = a_summary()
    reported = {"total_input_tokens": 40, "output_tokens": 25}
    requests = report(row(summary={**summary, "tokens_reported": reported}))["results"]["request_performance"][
        "aggregate"
    ]["requests"]
    assert (requests["input_length"]["mean"], requests["output_length"]["mean"]) == (18.0, 8.0)


def test_it_is_the_same_report_each_time_and_plain_yaml() -> None:
    text = report_yaml(row())
    assert text == report_yaml(row())
    loaded = yaml.safe_load(text)
    assert loaded == report(row())
    assert loaded["run"]["time"]["duration"] == "PT2.500000S"
    assert loaded["run"]["uid"] != report(row(created_at=AT + timedelta(seconds=1)))["run"]["uid"]
