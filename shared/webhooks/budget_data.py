"""What the event `budget.reached` says: its `data` as JSON."""

from typing import Any, Protocol

from shared.budgets.cap_name import CapName
from shared.money import MICROS_A_USD
from shared.webhooks.message import benchmark_url, instant_or_none


class CapFacts(Protocol):
    """The columns of a cap's row that the event contains. Amounts are in micro-dollars."""

    key: str
    owner: str
    cap: int
    spent: int
    reserved: int


class StoppedBenchmark(Protocol):
    """The columns of the benchmark whose requests the cap could not pay for."""

    id: int
    name: str
    model: str
    provider: str


def budget_data(cap: CapFacts, benchmark: StoppedBenchmark, public_url: str | None) -> dict[str, Any]:
    """`data` of the event. A cap is reached once, so its `sequence` is 1."""
    name = CapName.of(cap.key)
    return {
        "sequence": 1,
        "budget": cap.key,
        "kind": name.kind,
        "owner": cap.owner,
        "key_id": name.id if name.kind == "key" else None,
        "period": name.period,
        "cap_usd": cap.cap / MICROS_A_USD,
        "spent_usd": cap.spent / MICROS_A_USD,
        "reserved_usd": cap.reserved / MICROS_A_USD,
        "resets_at": instant_or_none(name.resets_at),
        "benchmark": {
            "id": benchmark.id,
            "name": benchmark.name,
            "model": benchmark.model,
            "provider": benchmark.provider,
            "url": benchmark_url(benchmark.id, public_url),
        },
    }
