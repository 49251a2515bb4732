"""Notes when keys were last used, for `api.access.middleware`."""

import asyncio

import structlog

from shared.db.access.key_lookup import KeyLookup, KnownKey
from shared.errors import LlmBenchError

log = structlog.get_logger(__name__)


class LastUses:
    """Writes when keys were last used, beside the requests: those must not wait for the write."""

    def __init__(self, keys: KeyLookup) -> None:
        self._keys = keys
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def note(self, found: KnownKey) -> None:
        key_id = found.row.id
        if found.use_is_due and key_id not in self._tasks:
            task = self._tasks[key_id] = asyncio.create_task(self._write(key_id))
            task.add_done_callback(lambda _: self._tasks.pop(key_id, None))

    async def close(self) -> None:
        """Waits for what is being written."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=2)

    async def _write(self, key_id: str) -> None:
        try:
            await self._keys.used(key_id)
        except LlmBenchError as exc:
            # The next request with this key tries again.
            log.warning("last_use_not_written", key_id=key_id, error=exc.message)
