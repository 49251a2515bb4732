"""What no column can hold, on PostgreSQL as well."""

import pytest

from tests.e2e.field.all_runs import RUNS
from tests.e2e.field.runs import measure_all
from worker.engine.children import Children


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_good_answers_are_kept_beside_those_that_are_out_of_range(
    database_url: str, redis_url: str, children: Children
) -> None:
    runs = [run for run in RUNS if run.name.startswith("robust.") and run.transport == "auto"]
    seen = await measure_all(runs, database_url, redis_url, children)
    for run in runs:
        assert {case.name: found for case in run.cases if (found := seen.misses(run, case))} == {}
