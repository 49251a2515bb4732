"""The CPU time that each step of an event loop takes. For the long run."""

import asyncio
import gc
import threading
import time
from asyncio import events
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEPT = 5
# How often the time is read that the hypervisor took away.
_STEAL_EVERY_S = 0.05


@dataclass(order=True, frozen=True)
class Step:
    """One callback of the loop, or what a task did between two awaits. `collecting_ms`: what was spent on garbage."""

    took_ms: float
    collecting_ms: float = field(compare=False)
    what: str = field(compare=False)


class LoopWatch:
    """Counts the CPU time of this thread: what other programs take from it is not the step's fault.

    A hypervisor that stops a virtual CPU for some ms is charged to the thread that runs. Linux counts that as `steal`,
    and a step in which it grew says nothing: it is counted in `stolen`.
    """

    def __init__(self) -> None:
        self.begin()
        self._collecting_ms = 0.0
        self._thread = threading.get_ident()
        self._watching = False
        plain = events.Handle._run
        watch = self

        def run(handle: events.Handle) -> None:
            if not watch._watching:
                plain(handle)
                return
            watch._look_at_steal()
            watch._collecting_ms = 0.0
            begin = time.thread_time()
            plain(handle)
            watch._add((time.thread_time() - begin) * 1e3, handle)

        events.Handle._run = run  # type: ignore[method-assign]
        gc.callbacks.append(self._on_collection)

    def begin(self) -> None:
        """Forgets what was, and watches from the next step on."""
        self.steps = self.stolen = 0
        self.loop_cpu_s = 0.0
        self.longest: list[Step] = []
        self.collections = [0, 0, 0]
        self.longest_collection_ms = [0.0, 0.0, 0.0]
        self._watching = True
        self._steal, self._stolen_at = _steal(), time.monotonic()
        self._begin_cpu_s, self._begin_s = time.process_time(), time.monotonic()

    def end(self) -> None:
        self._watching = False
        self.cpu_s, self.took_s = time.process_time() - self._begin_cpu_s, time.monotonic() - self._begin_s

    @property
    def longest_ms(self) -> float:
        return self.longest[0].took_ms if self.longest else 0.0

    def _add(self, took_ms: float, handle: events.Handle) -> None:
        self.steps += 1
        self.loop_cpu_s += took_ms / 1e3
        if len(self.longest) == KEPT and took_ms <= self.longest[-1].took_ms:
            return
        if (steal := _steal()) != self._steal:
            self._steal, self._stolen_at = steal, time.monotonic()
            self.stolen += 1
            return
        step = Step(took_ms, self._collecting_ms, _named(handle))
        self.longest = sorted([*self.longest, step], reverse=True)[:KEPT]

    def _look_at_steal(self) -> None:
        if (now := time.monotonic()) - self._stolen_at > _STEAL_EVERY_S:
            self._steal, self._stolen_at = _steal(), now

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        # In another thread, it holds up the loop all the same.
        if phase == "start":
            self._collecting_since = time.thread_time()
            return
        took_ms = (time.thread_time() - self._collecting_since) * 1e3
        generation = info["generation"]
        self.collections[generation] += 1
        self.longest_collection_ms[generation] = max(self.longest_collection_ms[generation], took_ms)
        if threading.get_ident() == self._thread:
            self._collecting_ms += took_ms


def _steal() -> str:
    """Changes when a virtual CPU was stopped. Always the same where the system does not tell."""
    try:
        return Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]
    except (OSError, IndexError):
        return ""


def _named(handle: events.Handle) -> str:
    """The callback; of a task, the place at which it waits now."""
    callback = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return getattr(callback, "__qualname__", repr(callback))
    places, waiting = [], task.get_coro()
    name = waiting.__qualname__
    while waiting is not None:
        frame: Any = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is None:
            break
        places.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return f"{name}, then waits in {' > '.join(places[-4:]) or 'nothing: it has ended'}"
