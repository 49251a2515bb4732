"""A spec is read back with its prompts, however many there are."""

import pytest

from shared.db.benchmarks.stored_spec import PROMPTS_A_PAGE
from shared.db.connection.database import Database
from shared.db.runs.benchmarks import RunBenchmarks
from tests.shared.db.rows import Tables


@pytest.mark.parametrize("count", [1, PROMPTS_A_PAGE - 1, PROMPTS_A_PAGE, 2 * PROMPTS_A_PAGE + 1])
async def test_prompts_are_read_in_order_and_completely(database: Database, tables: Tables, count: int) -> None:
    texts = [f"Name {number} rivers." for number in range(count)]
    await tables.add(prompts=["another"])
    benchmark_id = await tables.add(prompts=texts)
    spec, _ = await RunBenchmarks(database).spec(benchmark_id)
    assert [prompt.text for prompt in spec.prompts] == texts
