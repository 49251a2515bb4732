"""Waits for a benchmark to end, and shows progress in a terminal."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from cli.client import Client, Json, Unreachable
from cli.output import clean, console, note
from cli.render.numbers import milliseconds, usd
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
                lost = None
            except Unreachable as exc:
                lost = lost or Deadline(_PATIENCE_S)
                if lost.passed:
                    raise Unreachable(
                        f"lost the connection to {client.url}: {exc.message}",
                        (
                            f"The benchmark goes on there: llmbench show {benchmark['id']} --server {client.url}",
                            *exc.details,
                        ),
                    ) from exc
        shown.show(benchmark)
    return benchmark


class Progress(Protocol):
    """Shows how far a benchmark has come."""

    def __enter__(self) -> "Progress": ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, benchmark: Json) -> None: ...

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

    def tell(self, text: str) -> None:
        note(text, "bold yellow")


class Bar:
    """Done of total, errors, newest TTFT, cost so far, time left. It disappears at the end: the result follows."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(compact=True),
            console=console(sys.stderr),
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
        self._progress.update(
            self._task, description=benchmark["status"], completed=state["done"], text=progress_text(state)
        )

    def tell(self, text: str) -> None:
        self._progress.console.print(text, style="bold yellow", markup=False, highlight=False)


def progress_text(state: Json) -> str:
    """`12/40 · 1 error · TTFT 203 ms · $0.0021`."""
    parts = [f"{state['done']}/{state['total']}"]
    if state["errors"]:
        parts.append(f"{state['errors']} error{'s' if state['errors'] != 1 else ''}")
    if state["last_ttft_ms"] is not None:
        parts.append(f"TTFT {milliseconds(state['last_ttft_ms'])} ms")
    if state["cost_usd"] is not None:
        parts.append(usd(state["cost_usd"]))
    return " · ".join(parts)
