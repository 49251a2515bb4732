"""Which dataset a submitted benchmark sends: looked up, and written into its spec with id and hash."""

import asyncio
from typing import TypeVar

from shared.benchmark.spec import MAX_REQUESTS, BenchmarkSpec
from shared.benchmark.workload.dataset_spec import DatasetReference
from shared.benchmark.workload.trace_spec import TraceSource
from shared.db.datasets.repository import DatasetRepository
from shared.errors import InvalidRequest
from shared.workloads.formats.options import kind_of
from shared.workloads.rows import Kind, TraceRow

Source = TypeVar("Source", bound=DatasetReference)

_WORDS: dict[Kind, str] = {"prompts": "prompts or conversations", "trace": "a trace"}


async def with_dataset(spec: BenchmarkSpec, datasets: DatasetRepository) -> BenchmarkSpec:
    """The spec with id, hash and rows of the dataset that it sends, if it sends one. Raises InvalidRequest."""
    workload = spec.workload
    if workload is None:
        return spec
    update: dict[str, DatasetReference] = {}
    if workload.dataset is not None:
        update["dataset"] = await chosen(workload.dataset, "prompts", "workload.dataset", datasets)
    if workload.trace is not None:
        trace = await chosen(workload.trace, "trace", "workload.trace", datasets)
        update["trace"] = trace if trace.window is None else await _within_window(trace, datasets)
    if not update:
        return spec
    named = spec.model_copy(update={"workload": workload.model_copy(update=update)})
    # Only now it is known how many rows there are.
    requests = named.measured_requests + named.warmup
    if named.load is not None:
        requests = named.load.most_requests(named.listed_requests)
    if requests > MAX_REQUESTS:
        message = f"all rows, stages and repetitions together are {requests:,} requests, at most {MAX_REQUESTS:,}"
        raise InvalidRequest.of("repetitions" if named.load is None else "load", message, "too_many_requests")
    return named


async def _within_window(trace: TraceSource, datasets: DatasetRepository) -> TraceSource:
    """The trace with the number of requests in its window as its rows. Raises InvalidRequest if there are none."""
    # Here, so that the API does not import numpy at its start.
    from shared.workloads.traces.plan import empty_window
    from shared.workloads.traces.schedule import TraceSchedule

    rows = await datasets.load(trace.id or 0, TraceRow)
    # In a thread: a million rows take seconds.
    requests = await asyncio.to_thread(lambda: len(TraceSchedule(rows, trace)))
    if not requests:
        raise empty_window()
    return trace.model_copy(update={"rows": requests, "turns": requests})


async def chosen(source: Source, kind: Kind, field: str, datasets: DatasetRepository) -> Source:
    """The source with the id and the hash of its dataset. Raises InvalidRequest that names `field`.

    `kind`: what the dataset must have.
    """
    dataset = await datasets.find(source, field)
    found = kind_of(dataset.format)
    if found != kind:
        message = f"dataset {dataset.id} has {_WORDS[found]}; this needs {_WORDS[kind]}"
        raise InvalidRequest.of(field, message, "wrong_dataset")
    facts = {name: getattr(dataset, name) for name in ("id", "sha256", "rows", "turns")}
    return source.model_copy(update=facts)
