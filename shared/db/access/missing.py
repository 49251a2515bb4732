"""Errors for rows that are not there. A row of another owner is answered word for word as a missing one."""

from shared.errors import NotFound


def no_dataset(dataset_id: int) -> NotFound:
    return NotFound(f"there is no dataset {dataset_id}")


def no_benchmark(benchmark_id: int) -> NotFound:
    return NotFound(f"there is no benchmark {benchmark_id}")
