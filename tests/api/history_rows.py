"""Completed runs with numbers of one's choice, for tests of histories and leaderboards."""

from typing import Any

from shared.db.tables.benchmarks import Benchmark
from tests.shared.benchmark.history.runs import run
from tests.shared.db.rows import Tables, make_spec

PROMPTS = ["one", "two"]


async def completed(
    tables: Tables,
    value: float,
    *,
    model: str = "sim",
    provider: str = "simulator",
    grade: str = "A",
    cost: dict[str, Any] | None = None,
    **spec: Any,
) -> Benchmark:
    """A run with this median TTFT, ± 5 ms, without a result. `cost`: that of its summary."""
    benchmark = await tables.benchmarks.create(make_spec(model=model, prompts=PROMPTS, **spec), provider)
    lease = await tables.claimed()
    summary = {**run(1, value).summary, "measurement": {"grade": grade}}
    if cost is not None:
        summary["cost"] = cost
    await tables.leases.finish(lease, "completed", summary=summary, error=None)
    return benchmark
