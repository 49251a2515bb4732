"""Benchmarks and results as these tests need them."""

from datetime import UTC, datetime
from typing import Any

from shared.access.caller import LOCAL
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord, Usage
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.pages import BenchmarkPages
from shared.db.benchmarks.parts import SegmentRepository
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.results.pages import ResultPages
from shared.db.runs.lease import Lease
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.results import ResultRepository
from shared.db.tables.benchmarks import Result
from shared.numbers.metrics import MEASURED

AT = datetime(2025, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)


def make_spec(**changes: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate({"name": "test", "model": "sim", "prompts": ["one", "two"], **changes})


METRICS = {
    **dict.fromkeys(MEASURED),
    "queue_ms": 0.5,
    "ttfb_ms": 90.0,
    "ttft_ms": 100.0,
    "ttfat_ms": 100.0,
    "latency_ms": 200.0,
    "stream_close_ms": 201.0,
    "tokens_per_second": 50.0,
    "tpot_ms": 25.0,
    "max_stall_ms": 30.0,
}


def make_record(prompt_index: int = 0, repetition: int = 0, **changes: Any) -> ResultRecord:
    """`changes`: of fields, and of metrics by name."""
    metrics = {name: changes.pop(name, value) for name, value in METRICS.items()}
    values: dict[str, Any] = {
        "id": RequestId(prompt_index),
        "prompt_index": prompt_index,
        "repetition": repetition,
        "warmup": False,
        "outcome": "succeeded",
        "scheduled_at": AT,
        "sent_at": AT,
        "ended_at": AT,
        "connection_reused": True,
        "metrics": metrics,
        "usage": Usage(input_tokens=18, output_tokens=5),
        "finish_reason": "stop",
        "error": None,
        "flags": [],
        "response": "Hello",
        "reasoning": None,
        "provider_request_id": "req_1",
        "timeline": b"\x01\x01\x01",
        **changes,
    }
    return ResultRecord(**values)


class Tables:
    """The repositories of one database, as an API and a worker hold them."""

    def __init__(self, database: Database, lease_s: float = 30) -> None:
        self.database = database
        self.benchmarks = BenchmarkRepository(LOCAL, database)
        self.results = ResultRepository(database)
        self.benchmark_pages = BenchmarkPages(LOCAL, database)
        self.result_pages = ResultPages(LOCAL, database)
        self.segments = SegmentRepository(LOCAL, database)
        self.leases = LeaseRepository(database, lease_s=lease_s)
        # A worker whose leases have lapsed in the moment in which they are taken.
        self.lapsing = LeaseRepository(database, lease_s=-1)

    async def add(self, **changes: Any) -> int:
        """Id of a new pending benchmark."""
        return (await self.benchmarks.create(make_spec(**changes), "simulator")).id

    async def claimed(self, worker_id: str = "one") -> Lease:
        claimed = await self.leases.claim(worker_id)
        assert claimed is not None
        return claimed[0]

    async def in_order(
        self, benchmark_id: int, *, limit: int = 9, with_warmup: bool = False, with_timeline: bool = False
    ) -> list[Result]:
        """The first results, as `GET /benchmarks/{id}` embeds them."""
        listed = await self.result_pages.in_order(
            benchmark_id, limit=limit, with_warmup=with_warmup, with_timeline=with_timeline
        )
        return await self.result_pages.rows([item.id for item in listed], with_timeline=with_timeline)

    async def prompt_count(self, benchmark_id: int) -> int:
        return len(await self.benchmark_pages.prompts(benchmark_id, after=-1, limit=100))


async def recorded(results: ResultRepository, benchmark_id: int) -> set[tuple[int, int]]:
    """(prompt_index, repetition) of every stored result."""
    return {key async for page in results.keys(benchmark_id) for key in page}
