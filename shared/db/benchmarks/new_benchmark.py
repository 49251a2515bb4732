"""Stores a submitted benchmark: its row, its prompts, its metadata and its webhook. `BenchmarkRepository` calls it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.access.owner import DEFAULT_OWNER
from shared.benchmark.budget_spec import micros_of
from shared.benchmark.metadata import metadata_pairs
from shared.benchmark.prompt_set import prompt_set
from shared.benchmark.spec import BenchmarkSpec
from shared.db.datasets.repository import hold_dataset
from shared.db.runs.endpoint_lanes import lane_columns
from shared.db.tables.benchmarks import Benchmark, BenchmarkMetadata, Prompt
from shared.db.tables.types import utc_now
from shared.db.webhooks.endpoints import insert_endpoint
from shared.db.workers.repository import refuse_old_workers
from shared.providers.identity import EndpointIdentity
from shared.webhooks.message import NewEndpoint

# Prompts that one statement stores. Between two statements the event loop does other work.
PROMPTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NewBenchmark:
    """What is stored. `capped`: a budget of its key or owner counts what it spends."""

    spec: BenchmarkSpec
    provider: str
    notices: Sequence[str]
    endpoint: EndpointIdentity | None
    rerun_of: int | None
    webhook: NewEndpoint | None
    traceparent: str | None
    capped: bool

    async def prompt_set(self) -> str:
        """In a thread and before the transaction: thousands of long prompts take a while."""
        return await asyncio.to_thread(prompt_set, self.spec)

    def endpoint_key(self, caller: Caller) -> str | None:
        """Workers of the version before know neither owners nor budgets, nor what runs apart."""
        if self.endpoint is None:
            return None
        spec = self.spec
        owned = caller.owner != DEFAULT_OWNER or self.capped or spec.budget_usd is not None or spec.runs_apart
        return self.endpoint.key_for(loads=spec.needs_loads, owned=owned)


async def insert_benchmark(session: AsyncSession, caller: Caller, new: NewBenchmark, prompts: str) -> Benchmark:
    """Stores a pending benchmark of the caller's owner. `prompts`: its prompt set.

    Raises Conflict if its dataset was deleted meanwhile or a worker of an older version lives (`refuse_old_workers`).
    """
    spec = new.spec
    if caller.owner != DEFAULT_OWNER:
        await refuse_old_workers(session)
    source = None if spec.workload is None else spec.workload.stored
    if source is not None and source.id is not None:
        await hold_dataset(session, caller, source.id)
    # Added as an object: a RETURNING of the whole row would bring back all its texts.
    benchmark = Benchmark(
        owner=caller.owner,
        key_id=caller.key_id,
        name=spec.name,
        model=spec.model,
        provider=new.provider,
        endpoint=None if new.endpoint is None else new.endpoint.document(),
        endpoint_key=new.endpoint_key(caller),
        **lane_columns(spec, new.endpoint),
        status="pending",
        spec_document=spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True),
        notices=list(new.notices),
        rerun_of=new.rerun_of,
        prompt_set=prompts,
        traceparent=new.traceparent,
        planned=spec.planned_requests or 0,
        budget=None if spec.budget_usd is None else micros_of(spec.budget_usd),
        created_at=utc_now(),
    )
    session.add(benchmark)
    await session.flush()
    # What the database decided: the time, and defaults.
    await session.refresh(benchmark, inspect(benchmark).unloaded)
    for begin in range(0, len(spec.prompts), PROMPTS_AT_ONCE):
        await session.execute(
            insert(Prompt),
            [
                {
                    "benchmark_id": benchmark.id,
                    "prompt_index": begin + offset,
                    "document": prompt.model_dump(mode="json", exclude_none=True),
                }
                for offset, prompt in enumerate(spec.prompts[begin : begin + PROMPTS_AT_ONCE])
            ],
        )
    pairs = [{"pair": pair, "benchmark_id": benchmark.id} for pair in metadata_pairs(spec.metadata)]
    if pairs:
        await session.execute(insert(BenchmarkMetadata), pairs)
    if new.webhook is not None:
        await insert_endpoint(session, caller, new.webhook, benchmark.id)
    return benchmark
