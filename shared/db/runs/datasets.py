"""Datasets as the worker that runs a benchmark loads them. It is bound to no caller, but to the benchmark's owner."""

from shared.benchmark.spec import BenchmarkSpec
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.datasets.rows import SentRows, rows_of
from shared.db.tables.datasets import Dataset


@tries_again
class RunDatasets:
    """Reads rows of `dataset_blocks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows_of(self, spec: BenchmarkSpec, owner: str) -> SentRows | None:
        """The rows that a benchmark of this owner sends; None if it sends no dataset.

        Raises NotFound, also for a dataset of another owner.
        """
        return await rows_of(self._database, spec, Dataset.owner == owner)
