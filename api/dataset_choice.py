"""Which dataset a submitted benchmark sends: looked up, and written into its spec with id and hash."""

from typing import TypeVar

from shared.benchmark.dataset_spec import DatasetReference
from shared.benchmark.spec import MAX_REQUESTS, BenchmarkSpec
from shared.db.datasets import DatasetRepository
from shared.errors import InvalidRequest
from shared.workloads.formats.options import kind_of
from shared.workloads.rows import Kind

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
        update["trace"] = await chosen(workload.trace, "trace", "workload.trace", datasets)
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


async def chosen(source: Source, kind: Kind, field: str, datasets: DatasetRepository) -> Source:
    """The source with the id and the hash of its dataset. Raises InvalidRequest that names `field`.

    `kind`: what the dataset must have.
    """
    dataset = await datasets.find(source, field)
    found = kind_of(dataset.format)
    if found != kind:
        message = f"dataset {dataset.id} has {_WORDS[found]}; this needs {_WORDS[kind]}"
        raise InvalidRequest.of(field, message, "wrong_dataset")
    return source.model_copy(update={"id": dataset.id, "sha256": dataset.sha256, "rows": dataset.rows})
