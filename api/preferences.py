"""Reads the `Prefer: wait=` header (RFC 7240), and waits."""

import asyncio
import math
import re

from shared.benchmark.status import TERMINAL
from shared.db.benchmarks import BenchmarkRepository

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d+(?:\.\d+)?)\"?\s*(?=$|[,;])", re.IGNORECASE)


def wait_seconds(prefer: str | None, most: float) -> float | None:
    """Seconds of `wait=`, at most `most`. None if the header has no `wait=`; other preferences are ignored."""
    found = _WAIT.search(prefer or "")
    seconds = float(found.group(1)) if found else None
    return None if seconds is None or not math.isfinite(seconds) else min(seconds, most)


async def wait_for_end(benchmarks: BenchmarkRepository, benchmark_id: int, seconds: float) -> bool:
    """True if the benchmark ended within `seconds`. Polls the database, every 20 ms at first, later every 0.5 s."""
    pause = 0.02
    try:
        async with asyncio.timeout(seconds):
            while await benchmarks.status(benchmark_id) not in TERMINAL:
                await asyncio.sleep(pause)
                pause = min(pause * 1.3, 0.5)
    except TimeoutError:
        return False
    return True
