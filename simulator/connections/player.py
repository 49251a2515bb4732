"""Plays the steps of one answer into a connection, each at its deadline."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from shared.clock import monotonic_ns
from simulator.connections.timer import Timer, Wake
from simulator.script import Close, Hold, Step, Write

# After so many writes in a row the loop serves other streams first.
_WRITES_PER_TURN = 32


class Link(Protocol):
    """Where a player writes."""

    paused: bool

    def send(self, data: bytes) -> bool:
        """False when the connection is gone."""
        ...


class Player:
    """Holds one step at a time, made ahead of its deadline, so that memory is flat and a write is only a write."""

    def __init__(
        self,
        link: Link,
        timer: Timer,
        steps: Iterator[Step],
        on_content: Callable[[int, int], None],
        on_end: Callable[[Close], None],
        *,
        writes_per_turn: int = _WRITES_PER_TURN,
    ) -> None:
        self._link = link
        self._timer = timer
        self._steps = steps
        self._on_content = on_content
        self._on_end = on_end
        self._writes_per_turn = writes_per_turn
        self._next: Step | None = next(steps, None)
        self._wake: Wake | asyncio.Handle | None = None

    def play(self) -> None:
        """Writes all that is due, then waits for the next deadline, or for `play` when the client reads too slowly."""
        self._cancel()
        for _ in range(self._writes_per_turn):
            step = self._next
            if step is None or self._link.paused:
                return
            if isinstance(step, Hold):
                if not step.ready(self.play):
                    return
                self._next = next(self._steps, None)
                continue
            if step.due_ns > monotonic_ns():
                self._wake = self._timer.at(step.due_ns, self.play)
                return
            if not isinstance(step, Write):
                self._next = None
                self._on_end(step.close)
                return
            if not self._link.send(step.data):
                return
            if step.events:
                self._on_content(step.events, step.tokens)
            if self._next is None:  # stopped by whoever was told of the content
                return
            self._next = next(self._steps, None)
        self._wake = asyncio.get_running_loop().call_soon(self.play)

    def stop(self) -> None:
        self._cancel()
        self._next = None

    def _cancel(self) -> None:
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
