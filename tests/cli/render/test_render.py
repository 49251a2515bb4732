"""What people read."""

from typing import Any

import pytest

from api.schemas.benchmarks import BenchmarkOut
from api.schemas.prices import ModelOut, ProviderOut
from api.schemas.results import ResultOut
from api.schemas.workers import WorkerOut
from cli.render.benchmark import benchmark_lines, succeeded_entirely
from cli.render.distributions import INTERVALS, ROWS, distributions
from cli.render.lists import list_lines
from cli.render.numbers import WRITERS
from cli.render.results import COLUMNS, result_lines, timeline_lines
from cli.terminal.output import WARNING, Line
from shared.numbers.intervals import interval
from shared.numbers.metrics import METRICS
from tests.cli import documents


def _text(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


def test_the_documents_of_these_tests_are_what_the_api_gives() -> None:
    for status in ("pending", "running", "completed", "failed", "cancelled"):
        assert set(documents.benchmark(status=status)) == set(BenchmarkOut.model_fields)
        BenchmarkOut.model_validate(documents.benchmark(status=status))
    assert set(documents.result()) == set(ResultOut.model_fields)
    ResultOut.model_validate(documents.result())
    ModelOut.model_validate(documents.MODEL)
    ProviderOut.model_validate(documents.PROVIDER)
    assert set(documents.WORKER) == set(WorkerOut.model_fields)
    WorkerOut.model_validate(documents.WORKER)


def test_each_unit_of_a_metric_has_a_writer() -> None:
    assert {metric.unit for metric in METRICS.values()} <= set(WRITERS)


@pytest.mark.parametrize("name", ROWS)
def test_a_metric_with_a_row_is_in_the_table_of_distributions(name: str) -> None:
    spreads = {"ttft_ms": documents.spread(1.0), name: documents.spread(2.0)}
    lines = [line.text for line in distributions(documents.summary(**spreads), explain=True)]
    title = METRICS[name].row
    assert any(line.startswith(f"{title} ") for line in lines[1:])
    assert f"{title}: {METRICS[name].text}" in lines


@pytest.mark.parametrize("name", COLUMNS)
def test_a_metric_with_a_column_is_in_the_table_of_results(name: str) -> None:
    header, row = result_lines([documents.result(**{name: 98_765})])
    place = header.text.index(f"{COLUMNS[name]}  ")
    assert "98,765" in row.text[place - 8 : place + len(COLUMNS[name])]


def test_a_percentile_that_the_count_cannot_support_is_a_dash_with_a_reason() -> None:
    lines = list(distributions(documents.summary(succeeded=12)))
    ttft = next(line.text for line in lines if line.text.startswith("TTFT (ms)"))
    assert ttft.split() == ["TTFT", "(ms)", "12", "200.0", "206.0", "211.0", "–", "–", "211.0"]
    assert "– too few values: p95 needs 20, p99 needs 100" in [line.text for line in lines]


def test_no_footnote_stands_below_a_table_without_dashes() -> None:
    ttft = {**documents.spread(*range(100)), "p50_ci95": [41.0, 61.0]}
    summary = documents.summary(succeeded=100, ttft_ms=ttft)
    assert not any(line.text.startswith("–") for line in distributions(summary))


def test_confidence_intervals_stand_below_the_percentiles() -> None:
    ttft = {**documents.spread(*range(100)), "p50_ci95": [41.0, 61.25], "p95_ci95": [91.0, 10_001.4]}
    lines = [line.text for line in distributions(documents.summary(succeeded=100, ttft_ms=ttft))]
    place = lines.index(next(line for line in lines if line.startswith("95 % interval")))
    assert lines[place].split() == ["95", "%", "interval", "p50", "p95"]
    assert lines[place + 1].split() == ["TTFT", "(ms)", "41.0", "to", "61.2", "91.0", "to", "10,001"]


@pytest.mark.parametrize(
    ("basis", "why"),
    [
        ("requests", "that of the median needs 6 succeeded requests"),
        ("prompts", "prompts were repeated, so prompts count and not requests"),
        (None, "it is not known how the values depend on each other"),
    ],
)
def test_a_run_without_intervals_says_why(basis: str | None, why: str) -> None:
    ttft = {**documents.spread(1.0, 2.0), "interval_basis": basis}
    assert f"– no 95 % intervals: {why}" in _text(list(distributions(documents.summary(ttft_ms=ttft))))


def test_the_fewest_values_for_an_interval_are_those_of_the_intervals_themselves() -> None:
    for percentile, needed in INTERVALS.items():
        percent = float(percentile.removeprefix("p"))
        assert interval([float(number) for number in range(needed)], percent) is not None
        assert interval([float(number) for number in range(needed - 1)], percent) is None


def _failure(message: str, kind: str = "connect_error") -> dict[str, Any]:
    error = {"kind": kind, "message": message, "http_status": None, "phase": "connect"}
    return documents.result(outcome="errored", error=error)


def test_a_run_without_success_shows_its_errors_and_no_table_of_dashes() -> None:
    error = {"kind": "all_requests_failed", "message": "none of 3 requests succeeded; most often: connect_error"}
    summary = documents.summary(
        succeeded=0,
        errored=3,
        error_kinds={"connect_error": 3},
        error_latency_ms=documents.spread(12.5, 20.0, 30.0),
        measurement={"grade": "A", "reasons": []},
    )
    failed = documents.benchmark(status="failed", error=error, summary=summary)
    failures = [_failure("nobody listens"), _failure("nobody listens"), _failure("no route")]
    text = _text(benchmark_lines(failed, failures))
    assert "most often: connect_error: nobody listens (1 other message)\n" in text
    assert "\nErrors       connect_error 3\n" in text
    assert "12.5" not in text  # the smallest is of no interest
    assert "  after      20.0 ms (p50), 30.0 ms at most" in text
    assert "Grade        none: no request succeeded" in text
    assert not any(word in text for word in ("TTFT (ms)", "Throughput"))


def test_each_kind_of_error_has_its_commonest_message() -> None:
    summary = documents.summary(errored=7, error_kinds={"rate_limited": 2, "connect_error": 5, "cancelled": 3})
    failures = [_failure("slow down", "rate_limited"), *(_failure("\x1bnobody listens") for _ in range(5))]
    text = _text(benchmark_lines(documents.benchmark(summary=summary), failures))
    assert "\nErrors       connect_error 5: \ufffdnobody listens\n             rate_limited 2: slow down\n" in text
    assert "cancelled 3" not in text  # the benchmark did that itself


def test_a_cancelled_run_says_what_was_in_flight() -> None:
    requests = {**documents.summary(succeeded=0)["requests"], "cancelled": 4, "planned": 20}
    summary = documents.summary(succeeded=0, requests=requests, concurrency={"requested": 4, "peak": 4})
    text = _text(benchmark_lines(documents.benchmark(status="cancelled", summary=summary)))
    assert "Requests     0 succeeded, 4 cancelled in flight; 16 of 20 were not sent" in text
    assert "Concurrency  4 requested, 4 at the peak" in text


def test_the_concurrency_of_an_open_loop_is_a_bound() -> None:
    rates = {"requested": 5.0, "achieved": 5.0}
    summary = documents.summary(request_rate=rates, concurrency={"requested": 50, "peak": 7})
    assert "Concurrency  7 at the peak, at most 50 allowed" in _text(
        benchmark_lines(documents.benchmark(summary=summary, request_rate=5.0))
    )


def test_the_first_answer_token_has_a_row_only_where_the_model_thought_before() -> None:
    assert "TTFT of answer" not in _text(list(distributions(documents.summary())))
    thinking = documents.summary(ttfat_ms=documents.spread(900.0, 901.0))
    assert "TTFT of answer" in _text(list(distributions(thinking)))


def test_notices_stand_above_the_numbers() -> None:
    lines = [line.text for line in benchmark_lines(documents.benchmark())]
    assert lines.index(f"! {documents.NOTICE}") < next(i for i, line in enumerate(lines) if line.startswith("TTFT"))


def test_what_was_added_to_the_usual_request_is_shown() -> None:
    target = {
        "query": {"api-version": "2024-10-21", "sig": "[redacted]"},
        "extra_body": {"ignore_eos": True},
        "service_tier": "flex",
        "tls": {"verify": False, "ca_file": None, "client_cert": "/etc/client.pem", "client_key": None},
    }
    text = _text(benchmark_lines(documents.benchmark(target=target)))
    assert 'Sent with    api-version=2024-10-21; sig=[redacted]; extra_body {"ignore_eos": true}' in text
    assert "service_tier flex; certificate not verified; client_cert /etc/client.pem" in text
    plain = {"query": {}, "extra_body": {}, "service_tier": None, "tls": {"verify": True}}
    assert "Sent with" not in _text(benchmark_lines(documents.benchmark(target=plain)))


def test_outcomes_and_error_kinds_are_counted() -> None:
    text = _text(benchmark_lines(documents.benchmark(summary=documents.summary(succeeded=3, errored=2))))
    assert "3 succeeded, 2 errored" in text
    assert "Errors       rate_limited 2" in text


def test_an_unknown_cost_is_a_dash_and_never_zero() -> None:
    cost = {
        "total_usd": None,
        "measured_usd": None,
        "warmup_usd": None,
        "per_succeeded_usd": None,
        "unpriced_requests": 2,
    }
    text = _text(benchmark_lines(documents.benchmark(summary=documents.summary(cost=cost), price=None)))
    assert "– (no price is known for this model)" in text


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (
            {"priced_succeeded": 1, "unpriced_requests": 1},
            "a request; 1 of 2 requests has no known cost and is left out",
        ),
        ({"unpriced_requests": 1}, "but an older version divided by all that succeeded"),
        (
            {"priced_succeeded": 0, "per_succeeded_usd": None, "unpriced_requests": 2},
            "$0.0000428; 2 of 2 requests have",
        ),
    ],
)
def test_a_cost_says_how_many_requests_it_leaves_out(cost: dict[str, Any], words: str) -> None:
    assert words in _shown(cost={**documents.summary()["cost"], **cost})


def _shown(**changes: Any) -> str:
    return _text(benchmark_lines(documents.benchmark(summary=documents.summary(**changes))))


def test_answers_as_they_are_expected_take_no_line() -> None:
    text = _shown()
    assert not any(f"\n{name} " in text for name in ("Flags", "Findings", "Ended by", "Served"))
    assert "from a cache" not in text
    assert "provider states" not in text


def test_findings_stand_with_their_effect_and_other_flags_beside_them() -> None:
    findings = [
        {"finding": "buffered", "requests": 2, "meaning": "It came at once", "effect": "Speed is null"},
        {"finding": "bare_json", "requests": 1, "meaning": "No data line", "effect": "None: it was read"},
    ]
    text = _shown(flags={"buffered": 2, "bare_json": 1, "text_cut": 3}, conformance=findings)
    assert "\nFlags        text_cut 3\n" in text
    assert "\nFindings     buffered 2: It came at once. Speed is null\n" in text
    assert "\n             bare_json 1: No data line; no effect on the numbers\n" in text


def test_answers_that_did_not_end_by_themselves_are_counted_by_reason() -> None:
    assert "\nEnded by     end_turn 5, max_tokens 1\n" in _shown(finish_reasons={"max_tokens": 1, "end_turn": 5})


def test_another_model_or_tier_than_was_asked_for_is_shown() -> None:
    served = {"models": {"claude-3-haiku-20240307": 1, "\x1bother": 2}, "service_tiers": {"flex": 3}}
    assert "\nServed       \ufffdother 2, claude-3-haiku-20240307 1; tier flex 3\n" in _shown(served=served)


def test_the_share_of_cached_input_is_shown_and_what_it_means() -> None:
    text = _shown(cached_share=0.834, notices=["83% of the input was cached."])
    assert "; 83% of the input from a cache" in text
    assert "\n! 83% of the input was cached.\n" in text


def test_the_providers_own_cost_stands_beside_ours() -> None:
    cost = documents.summary()["cost"]
    assert "; the provider states $0.0325 without warm-up" in _shown(cost={**cost, "provider_usd": 0.0325})
    assert "(usage is unknown); the provider states $1.50" in _shown(
        cost={**cost, "total_usd": None, "provider_usd": 1.5}
    )


def test_a_summary_of_an_older_version_is_shown() -> None:
    old = documents.summary(finish_reasons=None, conformance=None, cached_share=None, served=None)
    del old["notices"]
    assert "Tokens " in _text(benchmark_lines(documents.benchmark(summary=old)))


def test_a_failed_run_shows_why() -> None:
    error = {"kind": "all_requests_failed", "message": "none of 2 requests succeeded"}
    text = _text(benchmark_lines(documents.benchmark(status="failed", error=error, summary=None)))
    assert "! all_requests_failed: none of 2 requests succeeded" in text


def test_only_a_completed_run_without_any_failure_succeeded_entirely() -> None:
    assert succeeded_entirely(documents.benchmark())
    assert not succeeded_entirely(documents.benchmark(summary=documents.summary(succeeded=2, errored=1)))
    assert not succeeded_entirely(documents.benchmark(status="cancelled"))
    assert not succeeded_entirely(documents.benchmark(summary=documents.summary(succeeded=0)))


def test_what_the_load_cut_off_or_dropped_is_no_failure() -> None:
    requests = {**documents.summary()["requests"], "incomplete": 3, "dropped": 1}
    summary = documents.summary(requests=requests)
    assert succeeded_entirely(documents.benchmark(summary=summary))
    (line,) = (item for item in benchmark_lines(documents.benchmark(summary=summary)) if "Requests" in item.text)
    assert ("2 succeeded, 3 incomplete, 1 dropped" in line.text, line.style) == (True, WARNING)


def test_a_models_answer_cannot_command_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold]red\n\u202etxt\x9b31m"
    text = _text(result_lines([documents.result(response=evil)]))
    assert not any(character in text for character in "\x1b\x07\u202e\x9b")
    assert "[bold]red" in text


def test_results_stand_in_the_order_of_the_plan() -> None:
    lines = result_lines([documents.result(1), documents.result(0)])
    assert [line.text.split()[0] for line in lines] == ["prompt", "0", "1"]


def test_a_timeline_lists_every_event() -> None:
    events = [{"offset_ms": 200.125, "kind": "content", "size": 6}, {"offset_ms": 220.0, "kind": "end", "size": 0}]
    text = _text(list(timeline_lines([documents.result(timeline=events), documents.result(1)])))
    assert "200.125  content      6" in text
    assert "no timeline was stored" in text


def test_a_list_shows_medians_and_progress() -> None:
    rows = _text(list_lines([documents.benchmark(), documents.benchmark(2, "pending")]))
    assert "201.0" in rows
    assert "0/2" in rows


def test_a_list_shows_a_run_of_which_nobody_knows_how_many_requests_it_will_be() -> None:
    running = documents.benchmark(status="running")
    running["progress"] |= {"done": 1_234, "total": None}
    place = _text(list_lines([running])).splitlines()
    assert place[1][: place[0].index("done") + 4].endswith("  1,234")
