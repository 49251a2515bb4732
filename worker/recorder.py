"""Writes results as they come: whatever has ended since the last transaction goes into the next one."""

import asyncio

import structlog

from shared.db.leases import Lease
from shared.db.results import ResultRepository
from shared.errors import Unavailable
from shared.results import ResultRecord

log = structlog.get_logger(__name__)

# Rows in one INSERT; SQLite and PostgreSQL bound the parameters of a statement.
MAX_BATCH = 200


class Recorder:
    """A queue in front of the database: measuring never waits for a commit, and no commit waits for a batch."""

    def __init__(self, repository: ResultRepository, lease: Lease) -> None:
        self._repository = repository
        self._lease = lease
        self._waiting: asyncio.Queue[ResultRecord | None] = asyncio.Queue()

    def add(self, record: ResultRecord) -> None:
        self._waiting.put_nowait(record)

    def close(self) -> None:
        """No more records; `run` ends once all are stored."""
        self._waiting.put_nowait(None)

    async def run(self) -> None:
        """Stores until closed. Raises LeaseLost where the benchmark is no longer ours."""
        open_ = True
        while open_:
            batch: list[ResultRecord] = []
            record = await self._waiting.get()
            while True:
                if record is None:
                    open_ = False
                    break
                batch.append(record)
                if len(batch) >= MAX_BATCH or self._waiting.empty():
                    break
                record = self._waiting.get_nowait()
            await self._store(batch)

    async def _store(self, batch: list[ResultRecord]) -> None:
        """Tries again while the database is away; the run's heartbeat says when there is no more use in it."""
        pause = 0.1
        while True:
            try:
                return await self._repository.record(self._lease, batch)
            except Unavailable as exc:
                log.warning("results_wait", results=len(batch), error=exc.message)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2)
