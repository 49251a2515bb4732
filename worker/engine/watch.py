"""Keeps worker and measuring processes aware of each other during a run. The engine starts it."""

import asyncio
from collections.abc import Callable

from shared.clock import Clock
from worker.engine.lanes import Lane, Lanes
from worker.engine.messages import Alive

# A process that has been silent for this long, while the worker was awake, counts as dead.
CHILD_SILENCE_S = 30


async def watch_lanes(lanes: Lanes, clock: Clock, silence_s: float, bury: Callable[[Lane, str], None]) -> None:
    """Tells the processes that the worker is alive, and ends those that are silent for too long. Runs until cancelled.

    `silence_s`: a process that hears nothing for this long ends itself. `bury` is called once for each dead process.
    """
    pause_s = min(1.0, silence_s / 3)
    last_ns = clock.monotonic_ns()
    buried: set[int] = set()
    while True:
        await asyncio.sleep(pause_s)
        now_ns = clock.monotonic_ns()
        for lane in lanes:
            lane.child.send(Alive())
            if now_ns - last_ns > 2 * pause_s * 1e9 or not lane.child.reading:
                lane.heard_ns = now_ns  # the worker itself slept, or had paused the process
            elif now_ns - lane.heard_ns > CHILD_SILENCE_S * 1e9 and lane.number not in buried:
                buried.add(lane.number)
                lane.child.end()
                bury(lane, f"a measuring process has not answered for {CHILD_SILENCE_S} s")
        last_ns = now_ns
