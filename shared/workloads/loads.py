"""Makes the load of a spec: its workload, and the plan of its stages. Workers send it, and the API estimates it."""

from pathlib import Path

from shared.benchmark.plan import PlannedLoad
from shared.benchmark.plans import plan_of
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload import PromptsInTurn, Workload
from shared.workloads.of_spec import workload_of


def load_of(spec: BenchmarkSpec, tokenizers: Path | None = None) -> PlannedLoad:
    """What a spec sends, and in which stages. Raises InvalidRequest if a tokenizer cannot be had."""
    return PlannedLoad(_workload(spec, tokenizers), plan_of(spec))


def _workload(spec: BenchmarkSpec, tokenizers: Path | None) -> Workload:
    if spec.load is None and spec.workload is None:
        # Its places are numbered as every version does it.
        return PromptsInTurn(spec)
    return workload_of(spec, tokenizers=tokenizers)
