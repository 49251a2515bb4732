"""Runs a transaction in a task of its own, so that no cancel of the caller meets the driver. For `Database`.

A cancel in the middle of a statement leaves a connection in an unknown state: SQLite keeps its lock, asyncpg no longer
knows which answer belongs to what. So the caller hands its statements to the task and waits. If the caller is
cancelled, the statement under way still ends, and the task then rolls back. A commit that has begun ends as well.
"""

import asyncio
import inspect
import weakref
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from shared.db.connection.checkout import Checkout, checked_out
from shared.db.connection.failures import Conflicted, of_the_database
from shared.errors import Unavailable
from shared.program.tasks import ended

log = structlog.get_logger(__name__)

# How long a cancelled caller waits for the statement under way. Then the connection is thrown away.
PATIENCE_S = 1.0

T = TypeVar("T")
_Step = tuple[Coroutine[Any, Any, Any], "asyncio.Future[Any]"]


class Transaction:
    """`session` is for the caller, `commit` and `end` for `Database`."""

    def __init__(self, engine: AsyncEngine, gate: AbstractAsyncContextManager[Any]) -> None:
        """`gate`: held from the first statement to the end."""
        self.session: AsyncSession = _Session(engine, self)
        self._gate = gate
        self._todo: asyncio.Queue[_Step | None] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None
        self._checkout = Checkout()
        self._entered = False
        self._broken = False

    async def do(self, step: Coroutine[Any, Any, T]) -> T:
        """Runs one step in the task. Raises Unavailable if the database or the connection failed."""
        if asyncio.current_task() is self.task and self.task is not None:
            return await step
        if self.task is None:
            self.task = asyncio.create_task(self._run())
            self.task.add_done_callback(self._drop_left)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._todo.put_nowait((step, answer))
        return await answer

    async def commit(self) -> None:
        if self.task is not None:
            await self.session.commit()

    async def end(self) -> None:
        """Rolls back what is not committed and gives the connection back. A cancel meanwhile is raised at the end.

        If that takes too long, `task` goes on alone and throws the connection away.
        """
        task = self.task
        if task is None:
            return
        self._todo.put_nowait(None)
        if not self._entered:
            task.cancel()
        if await ended(task, patience_s=PATIENCE_S):
            raise asyncio.CancelledError

    async def _run(self) -> None:
        checked_out.set(self._checkout)
        async with self._gate:
            self._entered = True
            try:
                while (step := await self._todo.get()) is not None:
                    await self._answer(*step)
            except asyncio.CancelledError:
                self._broken = True
                raise
            finally:
                await self._close()

    def _drop_left(self, _: "asyncio.Task[None]") -> None:
        while not self._todo.empty():
            if (step := self._todo.get_nowait()) is not None:
                step[0].close()
                step[1].cancel()

    async def _answer(self, step: Coroutine[Any, Any, Any], answer: "asyncio.Future[Any]") -> None:
        if answer.done():
            # The caller was cancelled before the step began.
            step.close()
            return
        try:
            result = await step
        except asyncio.CancelledError as exc:
            if _is_cancelled():
                answer.cancel()
                raise
            self._broken = True
            # Nobody cancelled this task: the driver's connection was lost under it.
            _fail(answer, Unavailable("the database does not answer: the connection was lost"), exc)
        except Exception as exc:  # noqa: BLE001 - the caller gets it
            failure = of_the_database(exc, closed=self._checkout.closed)
            self._broken = self._broken or (failure is not None and not isinstance(failure, Conflicted))
            _fail(answer, failure or exc, exc)
        else:
            if not answer.done():
                answer.set_result(result)

    async def _close(self) -> None:
        try:
            if self._broken:
                await self.session.invalidate()
            else:
                await self.session.close()
        except Exception as exc:  # noqa: BLE001 - how the transaction ended is known by now
            # The pool throws such a connection away.
            log.debug("connection_not_closed", error=str(exc))
        except asyncio.CancelledError:
            self._broken = True
            raise
        finally:
            if self._broken:
                # On SQLite the lock is free only when the driver's thread has closed the file.
                await self._checkout.close()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _fail(answer: "asyncio.Future[Any]", failure: Exception, cause: BaseException) -> None:
    if answer.done():
        return
    if failure is not cause:
        failure.__cause__ = cause
    answer.set_exception(failure)


class _Session(AsyncSession):
    """All that awaits the database goes through the transaction's task."""

    def __init__(self, engine: AsyncEngine, transaction: Transaction) -> None:
        super().__init__(engine, expire_on_commit=False)
        # Weak, because the transaction has the session: each transaction would leave a cycle to the garbage collector.
        self._transaction = weakref.ref(transaction)

    async def do(self, step: Coroutine[Any, Any, T]) -> T:
        transaction = self._transaction()
        if transaction is None:
            step.close()
            raise RuntimeError("the transaction of this session has ended")
        return await transaction.do(step)


def _through_the_task(name: str) -> Any:
    method = getattr(AsyncSession, name)

    async def run(self: _Session, *args: Any, **options: Any) -> Any:
        return await self.do(method(self, *args, **options))

    return run


for _name, _method in vars(AsyncSession).items():
    if inspect.iscoroutinefunction(_method) and not _name.startswith("_"):
        setattr(_Session, _name, _through_the_task(_name))
