"""Counts the steps of an operation and of the tasks that it starts, and lets a test interfere after any of them.

A step is what a task does between two awaits. So a test that interferes once after each step has tried every await.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class Steps:
    """Runs one operation; `interfere` is called after the step `at`, counted from 1, while the operation goes on."""

    def __init__(self, at: int, interfere: Callable[["Steps"], None]) -> None:
        self._at = at
        self._interfere = interfere
        self.count = 0
        self.tasks: list[asyncio.Task[Any]] = []

    @property
    def reached(self) -> bool:
        """Whether there was a step `at`."""
        return self.count >= self._at

    async def run(self, operation: Coroutine[Any, Any, T]) -> T:
        """What the operation returns or raises, once all tasks that it started have ended."""
        loop = asyncio.get_running_loop()
        before = loop.get_task_factory()
        loop.set_task_factory(self._make)
        try:
            return await asyncio.create_task(operation)
        finally:
            loop.set_task_factory(before)
            await asyncio.wait(self.tasks)

    def cancel(self) -> None:
        """Cancels the operation, as its caller would."""
        self.tasks[0].cancel()

    def cancel_all(self) -> None:
        """Cancels the operation and every task that it started, as the end of `asyncio.run` does."""
        for task in self.tasks:
            task.cancel()

    def _make(
        self, loop: asyncio.AbstractEventLoop, operation: Coroutine[Any, Any, T], *, context: Context | None = None
    ) -> "asyncio.Task[T]":
        task = asyncio.Task(_Counted(operation, self._stepped), loop=loop, context=context)
        self.tasks.append(task)
        return task

    def _stepped(self) -> None:
        self.count += 1
        if self.count == self._at:
            self._interfere(self)


class _Counted(Coroutine[Any, Any, T]):
    """A coroutine that tells of each of its steps but the last."""

    def __init__(self, inner: Coroutine[Any, Any, T], stepped: Callable[[], None]) -> None:
        self._inner = inner
        self._stepped = stepped

    def send(self, value: Any) -> Any:
        awaited = self._inner.send(value)
        self._stepped()
        return awaited

    def throw(self, *error: Any) -> Any:
        awaited = self._inner.throw(*error)
        self._stepped()
        return awaited

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._inner.__await__()
