"""The prompts of exported results: stored ones, or those of a workload, made again. Used by `api.files.exports`."""

import asyncio
import math
from collections.abc import Sequence

from api.present.made_prompts import texts_of
from api.state import State
from shared.benchmark.workload.workload import Workload

# No prompt is longer: it came in a body.
MAX_CHARACTERS = 2**31 - 1


class ExportPrompts:
    """The texts of one export."""

    def __init__(self, parts: State, benchmark_id: int) -> None:
        self._parts = parts
        self._id = benchmark_id
        self._workload: Workload | None = None
        self._is_known = False

    async def of(self, indexes: Sequence[int], repetitions: Sequence[int]) -> Sequence[str | None]:
        """The last user turn of each request. None: it was deleted, or cannot be made again."""
        if not self._is_known:
            # It is kept for a minute only; an export may take longer.
            self._workload = await self._parts.made_prompts.workload(self._id)
            self._is_known = True
        if self._workload is None:
            stored = await self._parts.benchmark_pages.prompt_texts(self._id, indexes, MAX_CHARACTERS)
            return [stored.get(index) for index in indexes]
        keys = list(zip(indexes, repetitions, strict=True))
        made, _ = await asyncio.to_thread(texts_of, self._workload, keys, self._parts.clock, math.inf)
        return [made.get(key) for key in keys]
