"""The event of a budget says what the document of the API promises."""

from dataclasses import dataclass

import pytest

from api.schemas.budget_event import BudgetEventData
from shared.webhooks.budget_data import budget_data


@dataclass
class ReachedCap:
    key: str
    owner: str = "acme"
    cap: int = 50_000_000
    spent: int = 49_750_000
    reserved: int = 210_000


@dataclass
class Stopped:
    id: int = 7
    name: str = "Haiku Speed Test"
    model: str = "claude-3-haiku-20240307"
    provider: str = "anthropic"


@pytest.mark.parametrize(
    ("key", "kind", "key_id", "period", "resets_at"),
    [
        ("benchmark:7", "benchmark", None, None, None),
        ("key:ab12cd34:day:2026-11-27", "key", "ab12cd34", "day", "2026-11-28T00:00:00Z"),
        ("owner:acme:month:2026-11", "owner", None, "month", "2026-12-01T00:00:00Z"),
    ],
)
def test_the_event_names_the_budget_and_the_benchmark_that_it_stopped(
    key: str, kind: str, key_id: str | None, period: str | None, resets_at: str | None
) -> None:
    data = budget_data(ReachedCap(key), Stopped(), "https://bench.example.com/")
    shown = BudgetEventData.model_validate(data, extra="forbid").model_dump(mode="json")
    assert shown == data
    assert (data["kind"], data["key_id"], data["period"], data["resets_at"]) == (kind, key_id, period, resets_at)
    assert (data["cap_usd"], data["spent_usd"], data["reserved_usd"]) == (50.0, 49.75, 0.21)
    assert data["benchmark"]["url"] == "https://bench.example.com/benchmarks/7"
