"""Specs as they are stored: the document in the benchmark's row, and the prompts in their own rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.extra_body import STORED
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload_spec import lists_prompts
from shared.db.tables import Benchmark, Prompt
from shared.errors import Conflict

Documents = Sequence[dict[str, Any]]


async def prompts_of(session: AsyncSession, benchmark_id: int) -> Documents:
    """The stored prompts of a benchmark, in order."""
    query = select(Prompt.document).where(Prompt.benchmark_id == benchmark_id).order_by(Prompt.prompt_index)
    return (await session.scalars(query)).all()


def is_without_prompts(benchmark: Benchmark, prompts: Documents) -> bool:
    """Whether its spec listed prompts, and they were deleted: by retention, or with the benchmark."""
    return not prompts and lists_prompts(benchmark.spec_document)


def prompts_deleted(benchmark_id: int) -> Conflict:
    return Conflict(f"the prompts of benchmark {benchmark_id} were deleted (TEXT_RETENTION_DAYS)")


def spec_of(benchmark: Benchmark, prompts: Documents) -> BenchmarkSpec:
    """The spec as it was submitted."""
    return BenchmarkSpec.model_validate({**benchmark.spec_document, "prompts": list(prompts)}, context=STORED)
