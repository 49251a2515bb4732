"""Specs as they are stored: the document in the benchmark's row, and the prompts in their own rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.extra_body import STORED
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload_spec import lists_prompts
from shared.db.tables.benchmarks import Benchmark, Prompt
from shared.errors import Conflict

PROMPTS_A_PAGE = 1_000

Documents = Sequence[dict[str, Any]]


async def prompts_of(session: AsyncSession, benchmark_id: int) -> Documents:
    """The stored prompts of a benchmark, in order. Read page by page: 10,000 at once took 24 ms of the event loop."""
    prompts: list[dict[str, Any]] = []
    query = select(Prompt.prompt_index, Prompt.document).where(Prompt.benchmark_id == benchmark_id)
    query, last = query.order_by(Prompt.prompt_index).limit(PROMPTS_A_PAGE), -1
    while True:
        rows = (await session.execute(query.where(Prompt.prompt_index > last))).all()
        prompts += [row.document for row in rows]
        if len(rows) < PROMPTS_A_PAGE:
            return prompts
        last = rows[-1].prompt_index


def is_without_prompts(benchmark: Benchmark, prompts: Documents) -> bool:
    """Whether what it sent is gone: retention has deleted its texts, or its prompts went with the benchmark."""
    return benchmark.texts_deleted_at is not None or (not prompts and lists_prompts(benchmark.spec_document))


def prompts_deleted(benchmark_id: int) -> Conflict:
    return Conflict(f"the prompts of benchmark {benchmark_id} were deleted (TEXT_RETENTION_DAYS)")


def spec_of(benchmark: Benchmark, prompts: Documents) -> BenchmarkSpec:
    """The spec as it was submitted."""
    return BenchmarkSpec.model_validate({**benchmark.spec_document, "prompts": list(prompts)}, context=STORED)
