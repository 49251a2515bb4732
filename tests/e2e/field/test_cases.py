"""Each case by each transport: what `GET /benchmarks/{id}` says of it."""

import pytest

from tests.e2e.field.all_runs import RUNS
from tests.e2e.field.case import Case
from tests.e2e.field.runs import Run, Seen

_CASES = [pytest.param(run, case, id=f"{case.name}-{run.transport}") for run in RUNS for case in run.cases]


@pytest.mark.parametrize(("run", "case"), _CASES)
async def test_the_result_is_what_it_must_be(seen: Seen, run: Run, case: Case) -> None:
    assert min((seen.misses(one, case) for one in seen.measurements(run)), key=len) == []
