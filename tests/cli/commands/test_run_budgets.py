"""`llmbench run` with a budget."""

from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


def test_a_budget_is_part_of_the_request(api: FakeApi, llmbench: Llmbench) -> None:
    options = ("--budget-usd", "2.5", "--allow-unpriced")
    assert llmbench("run", "-m", "m", "-p", "one", *options).exit_code == ExitCode.OK
    (body,) = api.sent("POST", "/benchmarks")
    assert (body["budget_usd"], body["allow_unpriced"]) == (2.5, True)


def test_a_run_that_a_budget_stopped_says_so_first(api: FakeApi, llmbench: Llmbench) -> None:
    progress = {**documents.benchmark()["progress"], "done": 412, "total": 1_000}
    api.reads = [(200, documents.benchmark(stopped="budget", progress=progress))]
    done = llmbench("run", "-m", "m", "-p", "x")
    assert "! A budget stopped it after 412 of 1,000 requests." in done.stdout.splitlines()[:3]


def test_a_spent_budget_has_an_exit_code_of_its_own(api: FakeApi, llmbench: Llmbench) -> None:
    problem = {**documents.problem(409, "the budget of owner acme for 2026-11 has no money left"), "errors": []}
    api.submit = (409, {**problem, "code": "budget_exhausted"})
    done = llmbench("run", "-m", "m", "-p", "x")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (ExitCode.BUDGET, f"error: {problem['detail']}")


def test_that_a_budget_may_stop_the_run_is_said_at_its_start(api: FakeApi, llmbench: Llmbench) -> None:
    told = "It may stop at its own budget."
    caps = [{"budget": "benchmark", "cap_usd": 2.5, "left_usd": 2.5, "resets_at": None}]
    for budgets in (caps, []):
        api.submit = (202, documents.benchmark(status="pending", estimate={"budgets": budgets, "notes": [told]}))
        assert (f"! {told}" in llmbench("run", "-m", "m", "-p", "x").stderr) == bool(budgets)
