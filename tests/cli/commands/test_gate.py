"""`llmbench run --fail-if`, `llmbench gate` and `llmbench baseline` against a server."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from api.schemas.baselines import BaselineOut
from api.schemas.comparison import ComparisonOut
from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi
from tests.cli.gate.reports import COMPARISON, FAILED, PASSED, UNDECIDED, spread

BASELINE = {
    "name": "main",
    "benchmark_id": 1,
    "benchmark_name": "before",
    "model": "m",
    "provider": "p",
    "created_at": "2025-01-15T10:35:00Z",
}
RUN = ("run", "-m", "m", "-p", "hi")


@pytest.fixture(autouse=True)
def server(api: FakeApi) -> None:
    """Benchmark 1 has a TTFT P50 of 100 ms, benchmark 2 one of 120 ms."""
    new, base = (
        documents.benchmark(number, summary=documents.summary(100, ttft_ms=spread(value, [value - 10, value + 10])))
        for number, value in ((2, 120), (1, 100))
    )
    api.submit = (202, documents.benchmark(2, status="pending"))
    api.answers = {
        "GET /benchmarks/1": (200, base),
        "GET /benchmarks/2": (200, new),
        "GET /compare": (200, COMPARISON),
        "GET /baselines/main": (200, BASELINE),
    }


def test_the_documents_of_these_tests_are_those_of_the_api() -> None:
    ComparisonOut.model_validate(COMPARISON)
    BaselineOut.model_validate(BASELINE)


def rules(*texts: str) -> list[str]:
    return [word for text in texts for word in ("--fail-if", text)]


@pytest.mark.parametrize("command", [RUN, ("gate", "2")], ids=["run", "gate"])
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([PASSED], ExitCode.OK),
        ([PASSED, FAILED], ExitCode.FAILED),
        ([PASSED, UNDECIDED], ExitCode.UNDECIDED),
    ],
)
def test_rules_decide_the_exit_code(llmbench: Llmbench, command: tuple[str, ...], given: list[str], code: int) -> None:
    done = llmbench(*command, *rules(*given))
    assert done.exit_code == code, done.output
    assert f"gate {('passed', 'failed', '', '', '', 'undecided')[code]}: " in done.stdout
    assert "passed     ttft_ms.p50 > 200 ms: 120.0 ms is not over 200.0 ms" in done.stdout


def test_strict_fails_what_is_undecided(llmbench: Llmbench) -> None:
    assert llmbench(*RUN, *rules(UNDECIDED), "--strict").exit_code == ExitCode.FAILED


def test_run_as_json_has_the_verdicts_beside_the_benchmark(llmbench: Llmbench) -> None:
    document = json.loads(llmbench(*RUN, *rules(FAILED), "--json").stdout)
    assert document["id"] == 2
    assert document["gate"]["outcome"] == "failed"
    assert [rule["rule"] for rule in document["gate"]["rules"]] == ["ttft_ms.p50 > 100 ms"]
    assert json.loads(llmbench("gate", "2", *rules(FAILED), "--json").stdout) == document["gate"]


def test_a_baseline_is_a_name_or_an_id(api: FakeApi, llmbench: Llmbench) -> None:
    for given in ("main", "1"):
        done = llmbench(*RUN, *rules("ttft_ms.p50 > baseline + 5ms"), "--baseline", given, "--json")
        assert done.exit_code == ExitCode.FAILED, done.output
        assert json.loads(done.stdout)["gate"]["baseline"]["benchmark_id"] == 1
    assert [target for _, target, _ in api.requests if "compare" in target] == ["/compare?ids=1%2C2"] * 2


def test_a_baseline_without_a_rule_of_its_own_applies_the_usual_ones(llmbench: Llmbench) -> None:
    gate = json.loads(llmbench(*RUN, *rules(PASSED), "--baseline", "main", "--json").stdout)["gate"]
    assert [rule["rule"] for rule in gate["rules"]] == [
        "ttft_ms.p50 > 200 ms",
        "ttft_ms.p50 > baseline + 10%",
        "latency_ms.p50 > baseline + 10%",
        "error_rate > baseline",
    ]


def test_a_baseline_that_does_not_exist_is_found_out_before_the_run(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /baselines/gone"] = (404, documents.problem(404, "there is no baseline 'gone'"))
    done = llmbench(*RUN, "--baseline", "gone")
    assert (done.exit_code, done.stderr) == (ExitCode.USAGE, "error: there is no baseline 'gone'\n")
    assert api.sent("POST", "/benchmarks") == []


def test_a_comparison_that_the_server_refuses_leaves_its_rules_undecided_with_the_reason(
    api: FakeApi, llmbench: Llmbench
) -> None:
    api.answers["GET /compare"] = (409, documents.problem(409, "no request of benchmark 2 succeeded"))
    done = llmbench("gate", "2", *rules("ttft_ms.p50 > baseline + 50%"), "--baseline", "main")
    assert done.exit_code == ExitCode.UNDECIDED
    assert "the runs are not comparable: no request of benchmark 2 succeeded" in done.stdout


def test_the_files_of_a_ci_are_written(llmbench: Llmbench, tmp_path: Path) -> None:
    junit, summary = tmp_path / "out.xml", tmp_path / "out.md"
    summary.write_text("before\n")
    done = llmbench(*RUN, *rules(FAILED, PASSED), "--junit", str(junit), "--summary", str(summary))
    assert done.exit_code == ExitCode.FAILED
    assert len(ET.parse(junit).findall(".//testcase")) == 3
    text = summary.read_text()
    assert text.startswith("before\n### llmbench: failed\n")
    assert "/ui/benchmarks/2>)" in text
    assert llmbench("gate", "2", "--summary", str(summary), *rules(PASSED)).exit_code == ExitCode.OK
    assert summary.read_text().count("### llmbench: ") == 2


def test_the_files_are_written_without_a_rule_too(llmbench: Llmbench, tmp_path: Path) -> None:
    done = llmbench(*RUN, "--summary", str(tmp_path / "out.md"))
    assert done.exit_code == ExitCode.OK, done.output
    assert "every request succeeded" in (tmp_path / "out.md").read_text().replace("&#32;", " ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (rules("ttft_p95 > 800"), "did you mean ttft_ms.p95?"),
        (rules("ttft_ms.p50 > baseline"), "needs --baseline ID or NAME"),
        (["--strict"], "--strict needs a rule"),
        (["--junit", "/nowhere/out.xml"], "--junit: cannot write /nowhere/out.xml"),
        (["--summary", "/"], "--summary: cannot write /"),
        (["--baseline", "../webhooks"], "'../webhooks' is no name of a baseline"),
        ([*rules(PASSED), "--detach"], "--detach does not wait for a verdict"),
    ],
)
def test_what_cannot_work_is_said_before_the_run(
    api: FakeApi, llmbench: Llmbench, options: list[str], message: str
) -> None:
    done = llmbench(*RUN, *options)
    assert (done.exit_code, message in done.stderr) == (ExitCode.USAGE, True), done.stderr
    assert api.sent("POST", "/benchmarks") == []


def test_a_wrong_rule_is_shown_with_its_place(llmbench: Llmbench) -> None:
    assert llmbench(*RUN, *rules("ttft_ms.p75 > 1")).stderr.splitlines()[1:] == [
        "  ttft_ms.p75 > 1",
        "          ^^^",
    ]


def test_gate_needs_a_rule_and_a_benchmark_that_has_ended(api: FakeApi, llmbench: Llmbench) -> None:
    assert "name at least one rule" in llmbench("gate", "2").stderr
    assert "is the baseline itself" in llmbench("gate", "1", "--baseline", "main").stderr
    api.answers["GET /benchmarks/2"] = (200, documents.benchmark(2, status="running"))
    done = llmbench("gate", "2", *rules(PASSED))
    assert (done.exit_code, "benchmark 2 is running" in done.stderr) == (ExitCode.USAGE, True)


def test_repeated_prompts_that_failed_are_read_to_judge_the_error_rate(api: FakeApi, llmbench: Llmbench) -> None:
    """One of four prompts always fails: 25 % of the requests, but only four prompts to say so."""
    summary = documents.summary(75, 25)
    api.results = [
        documents.result(number % 4, outcome="errored" if number % 4 == 0 else "succeeded") for number in range(100)
    ]
    for basis, code in (("requests", ExitCode.FAILED), ("prompts", ExitCode.UNDECIDED)):
        summary["ttft_ms"]["interval_basis"] = basis
        api.answers["GET /benchmarks/2"] = (200, documents.benchmark(2, summary=summary))
        assert llmbench("gate", "2", *rules("error_rate > 5%")).exit_code == code


def test_a_baseline_is_set_listed_shown_and_deleted(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers |= {
        "PUT /baselines/main": (201, BASELINE),
        "GET /baselines": (200, {"items": [BASELINE], "next_cursor": None}),
        "DELETE /baselines/main": (204, None),
    }
    shown = "baseline main is benchmark 1 (before, m at p)\n"
    assert llmbench("baseline", "set", "main", "1").stdout == shown
    assert api.sent("PUT", "/baselines/main") == [{"benchmark_id": 1}]
    assert llmbench("baseline", "show", "main").stdout == shown
    assert json.loads(llmbench("baseline", "show", "main", "--json").stdout) == BASELINE
    assert llmbench("baseline", "list").stdout.splitlines()[1].split() == [
        *("main", "1", "before", "m", "p", "2025-01-15", "10:35"),
    ]
    assert llmbench("baseline", "delete", "main").stdout == "baseline main is deleted; its benchmark stays\n"


def test_without_a_baseline_the_list_says_how_to_make_one(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /baselines"] = (200, {"items": [], "next_cursor": None})
    assert "llmbench baseline set NAME ID" in llmbench("baseline", "list").stderr


@pytest.mark.parametrize("name", ["7", "Main", "a/b", "", "a" * 101])
def test_a_name_that_is_none_never_reaches_the_server(api: FakeApi, llmbench: Llmbench, name: str) -> None:
    for arguments in (("set", name, "1"), ("show", name), ("delete", name)):
        assert llmbench("baseline", *arguments).exit_code == ExitCode.USAGE
    assert api.requests == []


@pytest.mark.parametrize("command", [RUN, ("gate", "2")], ids=["run", "gate"])
def test_rules_that_pass_do_not_hide_that_a_budget_stopped_the_run(
    api: FakeApi, llmbench: Llmbench, command: tuple[str, ...]
) -> None:
    status, ended = api.answers["GET /benchmarks/2"]
    api.answers["GET /benchmarks/2"] = (status, {**ended, "stopped": "budget"})
    assert llmbench(*command, *rules(PASSED)).exit_code == ExitCode.BUDGET
    assert llmbench(*command, *rules(FAILED)).exit_code == ExitCode.FAILED
