"""What a spec with a dataset or a trace sends, and in which stages."""

from typing import Any

import pytest

from shared.benchmark.load.places import place_at
from shared.benchmark.load.plan import FixedPlan, PlannedLoad
from shared.benchmark.spec import BenchmarkSpec
from shared.errors import InvalidRequest
from shared.workloads.loads import load_of
from shared.workloads.rows import Row, RowList, TraceRow, Turn

SECOND = 10**9
TRACE = RowList([TraceRow(at_s * SECOND, 20, 7) for at_s in (10, 11, 13, 20)])


def load(rows: RowList[Any], workload: dict[str, Any], **changes: Any) -> PlannedLoad:
    spec = BenchmarkSpec.model_validate({"name": "x", "model": "sim", "workload": workload, **changes})
    return load_of(spec.with_defaults(), rows=rows)


def trace(**source: Any) -> dict[str, Any]:
    return {"source": "trace", "trace": {"id": 1, "rows": 4, **source}}


def stages(made: PlannedLoad) -> FixedPlan:
    assert isinstance(made.plan, FixedPlan)
    return made.plan


def test_a_trace_is_sent_at_its_own_times() -> None:
    made = load(TRACE, trace(time_scale=0.5), concurrency=9)
    (stage,) = stages(made).stages
    assert [at / SECOND for at in stage.measured.pace.due_ns() if at is not None] == [0, 0.5, 1.5, 5]
    assert (stage.measured.first, stage.measured.end) == (place_at(0, 0), place_at(0, 4))
    assert (made.plan.planned_requests, made.plan.max_in_flight, stage.warmup) == (4, 9, None)
    assert stage.measured.pace.rate == pytest.approx(3 / 5)
    item = made.workload.item(place_at(0, 2))
    assert item is not None
    assert (item.prompt_index, item.parameters.max_tokens) == (2, 7)


def test_a_trace_may_be_warmed_up() -> None:
    made = load(TRACE, trace(), warmup=2, concurrency=9)
    (stage,) = stages(made).stages
    assert stage.warmup is not None
    assert (stage.warmup.first, stage.warmup.end) == (place_at(0, 0, warmup=True), place_at(0, 2, warmup=True))
    assert made.plan.planned_requests == 6


def test_a_load_sends_the_requests_of_a_trace_at_its_own_pace() -> None:
    made = load(TRACE, trace(), load={"concurrency": 2, "requests": 3})
    (stage,) = stages(made).stages
    assert list(zip(range(3), stage.measured.pace.due_ns(), strict=False)) == [(0, None), (1, None), (2, None)]
    assert stage.measured.end == place_at(0, 3)


def test_a_window_without_requests_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"workload\.trace\.window: no request"):
        load(TRACE, trace(window={"from_s": 5.0, "to_s": 6.0}))


def test_rows_of_a_dataset_are_sent_in_the_order_of_the_workload() -> None:
    rows = RowList([Row((Turn(f"{number}"),)) for number in range(50)])
    workload = {"source": "dataset", "dataset": {"id": 1, "rows": 50}, "order": "shuffled", "seed": 7}
    made = load(rows, workload, load={"concurrency": 2})
    assert made.plan.planned_requests == 50
    items = [made.workload.item(place_at(0, ordinal)) for ordinal in range(50)]
    sent = [item.messages[0]["content"] for item in items if item is not None]
    assert sorted(sent, key=int) == [f"{number}" for number in range(50)] != sent
