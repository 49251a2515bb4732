"""What the build is told."""

import json
from typing import Any

import pytest

from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.gate.reports import FAILED, PASSED, UNDECIDED, report


@pytest.mark.parametrize(
    ("rules", "strict", "outcome", "code"),
    [
        ((PASSED,), False, "passed", ExitCode.OK),
        ((PASSED, UNDECIDED), False, "undecided", ExitCode.UNDECIDED),
        ((PASSED, UNDECIDED), True, "failed", ExitCode.FAILED),
        ((UNDECIDED, FAILED, PASSED), False, "failed", ExitCode.FAILED),
        ((), False, "passed", ExitCode.OK),
    ],
)
def test_the_worst_rule_decides(rules: tuple[str, ...], strict: bool, outcome: str, code: ExitCode) -> None:
    found = report(*rules, strict=strict)
    assert (found.outcome, found.exit_code) == (outcome, code)


def test_the_sentence_counts() -> None:
    assert report(PASSED, PASSED).sentence == "2 rules: all passed"
    assert report(PASSED, UNDECIDED, FAILED, FAILED).sentence == "4 rules: 2 failed, 1 is undecided"
    assert report().sentence == "every request succeeded"


def test_failed_requests_fail_the_run_unless_a_rule_says_how_many_are_too_many() -> None:
    summary = documents.summary(succeeded=995, errored=5)
    without = report("ttft_ms.max > 9s", summary=summary)
    assert (without.exit_code, without.run_problem) == (
        ExitCode.FAILED,
        "5 of 1,000 requests failed, and no rule is about error_rate",
    )
    assert report("error_rate > 1%", summary=summary).exit_code == ExitCode.OK
    assert report("error_rate > 0.1%", summary=summary).exit_code == ExitCode.FAILED


def with_outcomes(succeeded: int, **outcomes: int) -> dict[str, Any]:
    found = documents.summary(succeeded=succeeded)
    return {**found, "requests": {**found["requests"], **outcomes}}


@pytest.mark.parametrize("rules", [(), ("error_rate > 1%",), ("total_cost_usd > 9",)])
@pytest.mark.parametrize("outcomes", [{"incomplete": 50, "dropped": 3}, {"dropped": 1}, {}])
def test_a_run_without_success_passes_no_gate(rules: tuple[str, ...], outcomes: dict[str, int]) -> None:
    """A server that answers nothing before `grace_s` is over has no failed request."""
    found = report(*rules, summary=with_outcomes(0, **outcomes))
    assert (found.outcome, found.exit_code, found.run_problem) == ("failed", ExitCode.FAILED, "no request succeeded")
    assert "no request succeeded" in found.sentence


def test_the_sentence_does_not_say_that_what_was_cut_off_succeeded() -> None:
    found = report(summary=with_outcomes(5, incomplete=2, dropped=1))
    assert (found.outcome, found.sentence) == ("passed", "no request failed, and 3 were cut off or not sent")


@pytest.mark.parametrize(
    ("changes", "code", "problem"),
    [
        ({"status": "cancelled"}, ExitCode.CANCELLED, "the benchmark was cancelled"),
        ({"status": "failed"}, ExitCode.FAILED, "the benchmark is failed"),
        (
            {"status": "failed", "error": {"code": "x", "message": "no key"}},
            ExitCode.FAILED,
            "the benchmark failed: no key",
        ),
    ],
)
def test_a_run_that_did_not_complete_passes_no_gate(changes: dict[str, Any], code: ExitCode, problem: str) -> None:
    found = report(PASSED, "error_rate > 1%", **changes)
    assert (found.outcome, found.exit_code, found.run_problem) == ("failed", code, problem)


def test_the_document_has_every_number_of_a_verdict() -> None:
    document = report("ttft_ms.p50 > baseline + 5ms", "error_rate > 1%", with_baseline=True).document()
    json.dumps(document, allow_nan=False)
    first, second = document.pop("rules")
    assert document == {
        "outcome": "failed",
        "strict": False,
        "run_problem": None,
        "baseline": {"name": "main", "benchmark_id": 1},
    }
    reason = first.pop("reason")
    assert reason.startswith("120.0 ms is over 105.0 ms (baseline 100.0 ms); the 95% interval")
    assert first == {
        "rule": "ttft_ms.p50 > baseline + 5 ms",
        "outcome": "failed",
        "metric": "ttft_ms",
        "statistic": "p50",
        "unit": "ms",
        "bound": 105,
        "value": 120,
        "interval_95": (110, 130),
        "n": 100,
        "baseline": {"value": 100, "interval_95": (95, 105), "n": 100},
        "change": {
            "difference": 20,
            "difference_interval_95": (10, 30),
            "ratio": 1.2,
            "ratio_interval_95": (1.1, 1.3),
        },
    }
    assert (second["outcome"], second["value"], second["baseline"], second["change"]) == ("passed", 0, None, None)


def test_links_lead_to_a_server_that_stays() -> None:
    found = report(PASSED, with_baseline=True)
    assert found.page == "https://bench.test/ui/benchmarks/2"
    assert found.comparison_page == "https://bench.test/ui/compare?ids=1,2"
