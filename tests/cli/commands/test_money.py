"""`llmbench spend` and `llmbench budgets` against a server."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.schemas.budgets import BudgetOut
from api.schemas.spend import SpendItem, SpentOut
from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


def spent(usd: float, **facts: Any) -> dict[str, Any]:
    return {
        **{name: None for name in SpendItem.model_fields if name not in SpentOut.model_fields},
        "spent_usd": usd,
        "worst_case_usd": 0.5,
        "requests": 48_210,
        "unpriced_requests": 0,
        "benchmarks": 31,
        **facts,
    }


def budget(**changes: Any) -> dict[str, Any]:
    return {
        "holder": "owner",
        "id": "acme",
        "period": "month",
        "owner": "acme",
        "cap_usd": 50.0,
        "spent_usd": 12.25,
        "reserved_usd": 0.75,
        "left_usd": 37.0,
        "reached_at": None,
        "resets_at": "2026-12-01T00:00:00Z",
        "created_at": "2026-11-02T08:00:00Z",
        **changes,
    }


ITEMS = [spent(12.25, model="claude\x1b[31m", provider="anthropic"), spent(0.0163, model="gpt", provider="openai")]
SPEND = {
    "by": "model",
    "from": "2026-11-01",
    "to": "2026-11-27",
    "total": {name: value for name, value in spent(12.2663).items() if name in SpentOut.model_fields},
    "items": ITEMS,
    "has_more": True,
    "next_cursor": None,
}


def test_the_documents_of_these_tests_are_those_of_the_api() -> None:
    BudgetOut.model_validate(budget(), extra="forbid")
    for item in ITEMS:
        SpendItem.model_validate(item, extra="forbid")


def query(api: FakeApi) -> dict[str, list[str]]:
    return parse_qs(urlsplit(api.requests[-1][1]).query)


def test_what_was_spent_is_a_table_with_its_sum(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /spend"] = (200, SPEND)
    done = llmbench("spend", "--from", "2026-11-01", "--owner", "*")
    assert query(api) == {"by": ["model"], "from": ["2026-11-01"], "owner": ["*"], "limit": ["100"]}
    header, first, second, total = done.stdout.splitlines()
    assert header.split() == [
        *("model", "provider", "spent", "of", "it", "worst", "case", "requests"),
        *("without", "a", "price", "benchmarks"),
    ]
    assert first.split()[-6:] == ["anthropic", "$12.25", "$0.500", "48,210", "0", "31"]
    assert second.split()[:3] == ["gpt", "openai", "$0.0163"]
    assert total.split()[:2] == ["all", "$12.27"]
    assert "\x1b" not in done.stdout
    assert "from 2026-11-01 to 2026-11-27 (UTC)" in done.stderr
    assert "the first 2; --limit lists more" in done.stderr
    assert json.loads(llmbench("spend", "--json").stdout) == SPEND


@pytest.mark.parametrize(
    ("by", "item", "cells"),
    [
        ("key", {"key_id": "ab12cd34", "name": "ci", "owner": "acme"}, ["ab12cd34", "ci", "acme", "$1.00"]),
        ("key", {"owner": "default"}, ["–", "–", "default", "$1.00"]),
        ("day", {"day": "2026-11-27"}, ["2026-11-27", "$1.00"]),
        ("owner", {"owner": "acme"}, ["acme", "$1.00"]),
        ("benchmark", {"benchmark_id": 7, "name": "n", "model": "m", "owner": "o"}, ["7", "n", "m", "–", "o", "$1.00"]),
    ],
)
def test_each_way_to_add_up(api: FakeApi, llmbench: Llmbench, by: str, item: dict[str, Any], cells: list[str]) -> None:
    api.answers["GET /spend"] = (200, {**SPEND, "by": by, "items": [spent(1.0, **item)], "has_more": False})
    row = llmbench("spend", "--by", by).stdout.splitlines()[1]
    assert row.split()[: len(cells)] == cells


def test_nothing_spent_is_said_in_words(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /spend"] = (200, {**SPEND, "items": [], "has_more": False})
    done = llmbench("spend")
    assert (done.stdout, "nothing was spent, from 2026-11-01" in done.stderr) == ("", True)


def test_budgets_are_listed_with_how_full_they_are(api: FakeApi, llmbench: Llmbench) -> None:
    items = [budget(), budget(holder="key", id="ab12cd34", period="day", cap_usd=0.01, left_usd=0.0)]
    api.answers["GET /budgets"] = (200, {"items": items, "next_cursor": None})
    done = llmbench("budgets", "list", "--owner", "acme")
    assert query(api) == {"owner": ["acme"], "limit": ["200"]}
    _, first, second = done.stdout.splitlines()
    assert first.split()[:8] == ["owner", "acme", "month", "$50.00", "$12.25", "$0.750", "$37.00", "26%"]
    assert second.split()[:3] == ["key", "ab12cd34", "day"]
    assert json.loads(llmbench("budgets", "list", "--json").stdout) == items
    api.answers["GET /budgets"] = (200, {"items": [], "next_cursor": None})
    # An admin's own owner may have none although others have some.
    assert "no budgets of your owner (`--owner '*'` lists those of all)" in llmbench("budgets", "list").stderr
    assert "no budgets: " in llmbench("budgets", "list", "--owner", "*").stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nan", "--owner", "acme"), "USD must be a number"),
        (("inf", "--owner", "acme"), "USD must be a number"),
        (("5", "--key", f"lbk_ab12cd34_{'s' * 38}"), "--key is the eight characters between lbk_ and the next _"),
        (("5", "--owner", "acme", "--per", "year"), "Invalid value for '--per': 'year' is not one of 'day', 'month'"),
        (("abc", "--owner", "acme"), "Invalid value for 'USD': must be a valid number"),
    ],
)
def test_what_is_wrong_with_a_budget_is_said_before_it_is_sent(
    api: FakeApi, llmbench: Llmbench, arguments: tuple[str, ...], told: str
) -> None:
    done = llmbench("budgets", "set", *arguments)
    assert (done.exit_code, told in done.stderr) == (ExitCode.USAGE, True), done.stderr
    assert "s" * 38 not in done.output
    assert api.requests == []


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (("--owner", "acme"), "/budgets/owners/acme/month"),
        (("--key", "ab12cd34", "--per", "day"), "/budgets/keys/ab12cd34/day"),
        (("--owner", "a/../b"), "/budgets/owners/a%2F..%2Fb/month"),
    ],
)
def test_a_budget_is_set_and_deleted(api: FakeApi, llmbench: Llmbench, options: tuple[str, ...], path: str) -> None:
    api.answers |= {f"PUT {path}": (201, budget()), f"DELETE {path}": (204, "")}
    done = llmbench("budgets", "set", "50", *options)
    assert done.stdout == (
        "owner acme may spend $50.00 a month; $12.25 is spent, $37.00 left until 2026-12-01 00:00 UTC\n"
    )
    assert api.sent("PUT", path) == [{"cap_usd": 50.0}]
    assert llmbench("budgets", "delete", *options).stdout.endswith("any more\n")
    assert api.sent("DELETE", path) == [None]


@pytest.mark.parametrize("options", [(), ("--owner", "acme", "--key", "ab12cd34")])
def test_a_budget_belongs_to_one(api: FakeApi, llmbench: Llmbench, options: tuple[str, ...]) -> None:
    for command in (("set", "50"), ("delete",)):
        done = llmbench("budgets", *command, *options)
        assert (done.exit_code, "--owner NAME or --key ID" in done.stderr) == (ExitCode.USAGE, True)
    assert api.requests == []


def test_a_dry_run_shows_the_worst_case_and_the_budgets(api: FakeApi, llmbench: Llmbench) -> None:
    caps = [
        {"budget": "benchmark", "cap_usd": 2.5, "left_usd": 2.5, "resets_at": None},
        {"budget": "owner:acme:month:2026-11", "cap_usd": 50.0, "left_usd": 37.0, "resets_at": "2026-12-01T00:00:00Z"},
    ]
    estimate = documents.estimate(worst_case_usd=0.43, budgets=caps)
    api.answers["POST /benchmarks/estimate"] = (200, {"provider": "p", "notices": [], "estimate": estimate})
    lines = llmbench("run", "-m", "m", "-p", "one", "--dry-run").stdout.splitlines()
    assert lines[-4].split()[:3] == ["At", "most", "$0.430,"]
    assert [line.split(maxsplit=1)[1] for line in lines[-3:-1]] == [
        "its own: $2.50 left of $2.50",
        "owner acme for 2026-11: $37.00 left of $50.00",
    ]
