"""Deletes benchmarks, or only their texts, that are older than the settings allow. Each worker does so once an hour."""

import asyncio

import structlog

from shared.db.benchmarks.retention import RetentionRepository

log = structlog.get_logger(__name__)

SWEEP_EVERY_S = 3_600
# The pause between two transactions, in which runs can write their results.
PAUSE_S = 0.05
_DAY_S = 86_400


class Retention:
    """Several workers may delete at the same time; each takes what the others have not deleted yet."""

    def __init__(
        self, repository: RetentionRepository, *, benchmark_days: float | None, text_days: float | None
    ) -> None:
        self._repository = repository
        self._benchmark_days = benchmark_days
        self._text_days = text_days

    async def run(self) -> None:
        """Sweeps once an hour until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> None:
        """Deletes everything that is due now."""
        repository = self._repository
        repository.begin_sweep()
        while await repository.delete_keys_step():  # noqa: ASYNC110 - a pause between steps, not a wait for something
            await asyncio.sleep(PAUSE_S)
        while await repository.delete_sessions_step():  # noqa: ASYNC110 - as above
            await asyncio.sleep(PAUSE_S)
        while await repository.delete_events_step():  # noqa: ASYNC110 - as above
            await asyncio.sleep(PAUSE_S)
        if self._benchmark_days is not None:
            while due := await repository.ended_before(self._benchmark_days * _DAY_S):
                for benchmark_id in due:
                    await self._delete(benchmark_id)
        if self._text_days is not None:
            while due := await repository.ended_before(self._text_days * _DAY_S, with_texts=True):
                for benchmark_id in due:
                    await self._delete_texts(benchmark_id)

    async def _delete(self, benchmark_id: int) -> None:
        while await self._repository.delete_step(benchmark_id):  # noqa: ASYNC110 - a pause between steps
            await asyncio.sleep(PAUSE_S)
        log.info("benchmark_expired", benchmark_id=benchmark_id)

    async def _delete_texts(self, benchmark_id: int) -> None:
        after = await self._repository.delete_texts_step(benchmark_id, 0)
        while after is not None:
            await asyncio.sleep(PAUSE_S)
            after = await self._repository.delete_texts_step(benchmark_id, after)
        log.info("texts_expired", benchmark_id=benchmark_id)
