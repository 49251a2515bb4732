"""Everything that one owner can have in the database, each text of it with a word that no other owner uses."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select

from shared.access.caller import Caller
from shared.benchmark.results.record import RequestError
from shared.benchmark.workload.dataset_spec import DatasetReference
from shared.clock import wall_now
from shared.db.benchmarks.imports import ImportRepository, NewImport
from shared.db.benchmarks.repository import BenchmarkRepository, Once
from shared.db.connection.database import Database
from shared.db.datasets.repository import DatasetRepository
from shared.db.results.baselines import BaselineRepository
from shared.db.results.chart_rows import ChartRepository
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.observations import RunObservations
from shared.db.runs.results import ResultRepository
from shared.db.runs.segments import SegmentEnd
from shared.db.runs.stages import RunStages
from shared.db.tables.benchmarks import Result
from shared.db.tables.webhooks import WebhookDelivery
from shared.db.webhooks.endpoints import WebhookRepository
from shared.observing.sample import Sample
from shared.webhooks.message import NewEndpoint
from tests.shared.db.access_rows import add_key
from tests.shared.db.datasets.test_repository import blocks_of, new, some_rows
from tests.shared.db.rows import AT, make_record, make_spec

SECRET = "acmesecret"
PAIR = f"team:{SECRET}"
MODEL = f"sim-{SECRET}"


@dataclass(frozen=True, slots=True)
class Named:
    """What a call may name. `benchmark` has completed, `open` waits, `doomed` waits to be deleted."""

    benchmark: int
    open: int
    doomed: int
    result: int
    endpoint: int
    delivery: int
    dataset: int
    sha256: str
    identity: str
    baseline: str
    idempotency_key: str
    import_key: str
    prompt_set: str
    key_id: str

    @classmethod
    def missing(cls) -> "Named":
        """Nothing that there is."""
        texts = {"sha256": "9" * 64, "identity": "8" * 64, "import_key": "7" * 64, "prompt_set": "6" * 64}
        numbered = enumerate(fields(cls), 987_654_321)
        values = {item.name: f"no-{item.name}" if item.type is str else number for number, item in numbered}
        return cls(**{**values, **texts})  # type: ignore[arg-type]


async def no_results() -> AsyncIterator[Sequence[dict[str, Any]]]:
    for nothing in ():
        yield nothing


def exported(key: str) -> NewImport:
    """A benchmark that was exported elsewhere."""
    spec = make_spec(name=SECRET, metadata={"team": SECRET}).model_dump(mode="json", exclude={"prompts"})
    row = {
        "name": SECRET,
        "model": MODEL,
        "provider": "elsewhere",
        "status": "cancelled",
        "notices": [],
        "planned": 2,
        "created_at": AT,
        "completed_at": AT,
    }
    return NewImport(key, row, spec, [], [], [], no_results)


FACTS = {
    "conversations": 0,
    "input_tokens": dict.fromkeys(("count", "total", "min", "mean", "p50", "p90", "p99", "max"), 3),
    "output_tokens": None,
    "token_source": "estimate",
    "tokenizer": "o200k",
    "span_s": None,
    "left_out": {},
}


async def fill(database: Database, caller: Caller, measurement: dict[str, Any] | None = None) -> Named:
    """All of it."""
    await add_key(database, "acmekey1", caller.owner)
    benchmarks, leases = BenchmarkRepository(caller, database), LeaseRepository(database, lease_s=30)
    webhooks = WebhookRepository(caller, database)
    endpoint = await webhooks.add(NewEndpoint(f"http://{SECRET}.test/", None, ["sealed"], SECRET))
    dataset, _ = await DatasetRepository(caller, database).add(
        new(3, name=SECRET, facts=FACTS), blocks_of(some_rows(3))
    )
    spec = make_spec(name=SECRET, model=MODEL, prompts=[f"{SECRET} 1", f"{SECRET} 2"], metadata={"team": SECRET})
    own = NewEndpoint(f"http://own.{SECRET}.test/", None, ["sealed"])
    benchmark, _ = await benchmarks.create_once(Once("once", "print"), spec, "simulator", webhook=own)
    claimed = await leases.claim(f"worker-{caller.owner}")
    assert claimed is not None
    lease = claimed[0]
    assert lease.benchmark_id == benchmark.id
    await leases.begin(lease, dispatched=2, price=None)
    stages = RunStages(database)
    await stages.enter(lease, dispatched=2, stages={0: {"name": SECRET}})
    failed = RequestError("rate_limited", SECRET, "before_first_token", 429)
    records = [make_record(0, response=SECRET), make_record(1, outcome="errored", error=failed, response=SECRET)]
    await ResultRepository(database).record(lease, records)
    await RunObservations(database).add(lease, [Sample(1_000_000, {"running": 2.0})])
    await stages.leave(lease, 0, ended_by="requests", aggregate=b"", summary={})
    end = SegmentEnd(measurement=measurement)
    await leases.finish(lease, "completed", summary={}, error=None, whole=True, end=end)
    await ChartRepository(caller, database).store(benchmark.id, 1, SECRET.encode())
    await BaselineRepository(caller, database).put("main", benchmark.id)
    await ImportRepository(caller, database).add(exported("5" * 64))
    async with database.read() as session:
        result = await session.scalar(select(Result.id).where(Result.outcome == "errored"))
        delivery = await session.scalar(
            select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint.id).limit(1)
        )
    assert result is not None
    assert delivery is not None
    waiting = [await benchmarks.create(spec, "simulator") for _ in range(2)]
    return Named(
        benchmark=benchmark.id,
        open=waiting[0].id,
        doomed=waiting[1].id,
        result=result,
        endpoint=endpoint.id,
        delivery=delivery,
        dataset=dataset.id,
        sha256=dataset.sha256,
        identity="1" * 64,
        baseline="main",
        idempotency_key="once",
        import_key="5" * 64,
        prompt_set=benchmark.prompt_set or "",
        key_id="acmekey1",
    )


def reference(named: Named) -> DatasetReference:
    return DatasetReference(id=named.dataset)


def today() -> Any:
    return wall_now().date()
