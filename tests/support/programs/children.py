"""Measuring processes that may say what they ran before they end."""

import asyncio

from tests.support.waiting import PATIENCE_S
from worker.engine.children import Children


class PoliteChildren(Children):
    """Hangs up and waits, where the worker kills: a process that is killed writes no coverage."""

    async def close(self) -> None:
        for child in self._idle:
            if child._transport is not None and child._process is not None:
                child._transport.abort()
                await asyncio.to_thread(child._process.wait, PATIENCE_S)
        await super().close()
