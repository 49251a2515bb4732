"""Waits for a benchmark to end, and shows progress in a terminal."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from cli.render.numbers import duration, milliseconds, rate, usd
from cli.render.stages import stage_label
from cli.server.answers import Json, Unreachable
from cli.server.client import Client
from cli.terminal.output import WARNING, clean, console, note
from cli.terminal.text_width import wrapped
from cli.waiting import Deadline
from shared.benchmark.status import TERMINAL

_POLL_S = (0.05, 0.5)
# Seconds to wait for a server that does not answer: enough for a restart.
_PATIENCE_S = 30.0


def follow(
    client: Client, benchmark: Json, pause: Callable[[float], None], watch: Callable[[], None] = lambda: None
) -> Json:
    """The benchmark after its end, without results. `pause` and `watch` can raise to end the waiting."""
    poll_s, lost = _POLL_S[0], None
    told = set(benchmark["notices"])
    with progress() as shown:
        while benchmark["status"] not in TERMINAL:
            if lost is None:
                shown.show(benchmark)
            if benchmark["status"] == "pending":
                for notice in set(benchmark["notices"]) - told:
                    shown.tell(f"! {clean(notice)}")
                told |= set(benchmark["notices"])
            pause(poll_s)
            poll_s = min(poll_s * 1.3, _POLL_S[1])
            watch()
            try:
                benchmark = client.benchmark(benchmark["id"], "none")
            except Unreachable as exc:
                if lost is None:
                    lost = Deadline(_PATIENCE_S)
                    shown.tell(f"! {clean(exc.message)}; trying again for {_PATIENCE_S:g} s")
                shown.lose(lost.elapsed_s)
                if lost.passed:
                    raise Unreachable(
                        f"lost the connection to {client.url}: {exc.message}",
                        (
                            f"The benchmark goes on there: llmbench show {benchmark['id']} --server {client.url}",
                            *exc.details,
                        ),
                    ) from exc
            else:
                if lost is not None:
                    shown.tell(f"{client.url} answers again")
                    lost = None
        shown.show(benchmark)
    return benchmark


class Progress(Protocol):
    """Shows how far a benchmark has come."""

    def __enter__(self) -> "Progress": ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, benchmark: Json) -> None: ...

    def lose(self, seconds: float) -> None:
        """The server has not answered for so many seconds."""
        ...

    def tell(self, text: str) -> None:
        """Prints a line that stays."""
        ...


def progress() -> Progress:
    """A progress bar in a terminal; elsewhere an object that shows nothing."""
    return Bar() if sys.stderr.isatty() else Silence()


class Silence:
    """Shows nothing."""

    def __enter__(self) -> "Silence":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, benchmark: Json) -> None:
        pass

    def lose(self, seconds: float) -> None:
        pass

    def tell(self, text: str) -> None:
        note(text, WARNING)


class Bar:
    """Status, done of total, time left, errors, newest TTFT, cost. It disappears at the end: the result follows."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._console = console(sys.stderr)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12 if self._console.width < 100 else 24),
            # It is cut where a narrow terminal ends: what matters most comes first.
            TextColumn("{task.fields[text]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=self._console,
            transient=True,
        )
        self._task: Any = None

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, benchmark: Json) -> None:
        state = benchmark["progress"]
        if self._task is None:
            self._task = self._progress.add_task(benchmark["status"], total=state["total"], text="")
        self._progress.update(self._task, description=benchmark["status"], completed=state["done"])
        left_s = self._progress.tasks[0].time_remaining
        self._progress.update(self._task, text=progress_text(state, left_s))

    def lose(self, seconds: float) -> None:
        self._progress.update(self._task, description="no answer", text=f"for {seconds:.0f} s; the run may go on")

    def tell(self, text: str) -> None:
        for line in wrapped(text, self._console.width, 2):
            self._console.print(line, style=WARNING)


def progress_text(state: Json, left_s: float | None = None) -> str:
    """`12/40 · about 35 s left · 1 error · TTFT 203.4 ms · $0.00210`, with a `load` also its stage and recent rate."""
    total = state["total"]
    live = state.get("metrics") or {}
    stage = live.get("stage")
    parts = []
    if stage is not None and (label := stage_label(stage["label"])):
        parts.append(f"stage {stage['number']} ({label})")
    parts.append(f"{state['done']:,}/{total:,}" if total is not None else f"{state['done']:,} done")
    if stage is not None and (recent := live.get("recent")):
        parts.append(f"{rate(recent['request_rate'])}/s, {live['in_flight']:,} in flight")
    if left_s is not None and total is not None and state["done"] < total:
        parts.append(f"about {duration(left_s)} left")
    if state["errors"]:
        parts.append(f"{state['errors']:,} error{'s' if state['errors'] != 1 else ''}")
    if state["last_ttft_ms"] is not None:
        parts.append(f"TTFT {milliseconds(state['last_ttft_ms'])} ms")
    if state["cost_usd"] is not None:
        parts.append(usd(state["cost_usd"]))
    return " · ".join(parts)
