"""Makes the load of a spec: its workload, and the plan of its stages. Workers send it, and the API estimates it."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from shared.benchmark.load.plan import Plan, PlannedLoad
from shared.benchmark.load.plans import plan_of
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import PromptsInTurn

if TYPE_CHECKING:
    from shared.workloads.rows import AnyRow, DatasetRows, TraceRow
    from shared.workloads.traces.schedule import TraceSchedule


def load_of(
    spec: BenchmarkSpec, tokenizers: Path | None = None, rows: "DatasetRows[AnyRow] | None" = None
) -> PlannedLoad:
    """What a spec sends, and in which stages. `rows`: those of the dataset or trace that it names.

    Raises InvalidRequest if a tokenizer cannot be had, or if nothing of a trace is left to send.
    """
    if spec.load is None and spec.workload is None:
        # Its places are numbered as every version does it.
        return PlannedLoad(PromptsInTurn(spec), plan_of(spec))
    # Here, so that programs start without numpy and tokenizers.
    from shared.workloads.of_spec import workload_of
    from shared.workloads.traces.plan import trace_plan

    schedule = _schedule(spec, rows)
    plan: Plan | None = None
    if schedule is not None and spec.load is None and spec.request_rate is None:
        plan = trace_plan(spec, schedule)
    workload = workload_of(spec, rows, schedule=schedule, tokenizers=tokenizers)
    return PlannedLoad(workload, plan or plan_of(spec))


def _schedule(spec: BenchmarkSpec, rows: "DatasetRows[AnyRow] | None") -> "TraceSchedule | None":
    trace = None if spec.workload is None else spec.workload.trace
    if trace is None or rows is None:
        return None
    from shared.workloads.traces.schedule import TraceSchedule

    requests = cast("DatasetRows[TraceRow]", rows)
    return TraceSchedule((requests.row(number) for number in range(len(requests))), trace)
