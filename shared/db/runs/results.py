"""Results. The worker records them under its fence; a summary reads all of them. The API reads `results.pages`."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, Update, bindparam, func, select, true, update
from sqlalchemy.orm import undefer

from shared.benchmark.results.outcome import BY_THE_LOAD
from shared.benchmark.results.record import ResultRecord
from shared.db.connection.again import tries_again
from shared.db.connection.clock import Now, database_now
from shared.db.connection.database import Database
from shared.db.money.reservations import Bill, Paid, pay
from shared.db.runs.lease import Lease, hold
from shared.db.tables.benchmarks import Benchmark, Result
from shared.numbers.metrics import REPORTED

KEYS_A_PAGE = 2_000
ANSWERS_A_PAGE = 200
# Results in one INSERT. Their parameters are made in one step of the event loop: up to 9 ms for 200 on PostgreSQL. Each
# further statement takes 0.3 ms.
ROWS_A_STATEMENT = 100

NO_ERRORS = ("succeeded", *BY_THE_LOAD)

_TABLE = Result.metadata.tables[Result.__tablename__]
_BENCHMARKS = Benchmark.metadata.tables[Benchmark.__tablename__]
# Fields of a record that are not stored, or whose columns have another shape.
_NOT_COPIED = {"id", "ends_place", "metrics", "usage", "error", "gaps_ms", "tokens_over_time", "network_rtt_ms"}
_COPIED = tuple(item.name for item in fields(ResultRecord) if item.name not in _NOT_COPIED)


@tries_again
class ResultRepository:
    """Rows of `results`."""

    def __init__(self, database: Database, *, now: Now = database_now) -> None:
        """`now`: the database's clock."""
        self._database = database
        self._now = now

    async def record(
        self,
        lease: Lease,
        records: Sequence[ResultRecord],
        *,
        dispatched: int | None = None,
        live: dict[str, Any] | None = None,
        bill: Bill | None = None,
    ) -> Paid | None:
        """Stores results and moves the benchmark's counters in one transaction. Raises LeaseLost.

        The first result of a request wins: a second one is neither stored nor counted, and costs nothing.
        `dispatched`: requests of places below this may be sent from now on. `live`: the numbers so far. `bill`: what
        the results cost; if a cap counts, the mark moves only as far as it pays, which is returned.
        """
        if not records:
            return None
        async with self._database.write() as session:
            # Lock the benchmark before the first write: one that was deleted or taken over gets no rows at all.
            account, now = await hold(session, lease, self._now)
            # Some at a time: the event loop does others' work while the database takes them.
            rows: list[Row[Any]] = []
            for begin in range(0, len(records), ROWS_A_STATEMENT):
                some = records[begin : begin + ROWS_A_STATEMENT]
                values = [_row(lease.benchmark_id, record) for record in some]
                rows += (await session.execute(_insertion(self._database.insert), values)).all()
            costs = [row.cost_usd for row in rows if row.cost_usd is not None]
            latest = next((row.ttft_ms for row in reversed(rows) if row.ttft_ms is not None), None)
            paid = None
            if bill is not None:
                settled = bill.settled([(row.prompt_index, row.repetition) for row in rows])
                paid = await pay(session, self._database, account, lease.fence, now, bill, settled)
                dispatched = paid.mark if bill.held is not None else dispatched
            await session.execute(
                _counting(),
                {
                    "of_id": lease.benchmark_id,
                    "new": len(rows),
                    "new_errors": sum(row.outcome not in NO_ERRORS for row in rows),
                    "mark": dispatched,
                    "live_now": live,
                    "latest": latest,
                    "cost": sum(costs, Decimal(0)) if costs else None,
                },
            )
        return paid

    async def keys(self, benchmark_id: int) -> AsyncIterator[Sequence[tuple[int, int]]]:
        """(prompt_index, repetition) of every request that has a result, page by page."""
        last = 0
        while True:
            query = (
                select(Result.id, Result.prompt_index, Result.repetition)
                .where(Result.benchmark_id == benchmark_id, Result.id > last)
                .order_by(Result.id)
                .limit(KEYS_A_PAGE)
            )
            async with self._database.read() as session:
                rows = (await session.execute(query)).all()
            if not rows:
                return
            yield [(row.prompt_index, row.repetition) for row in rows]
            last = rows[-1].id

    async def answers(self, benchmark_id: int) -> AsyncIterator[Sequence[tuple[int, int, str | None]]]:
        """(prompt_index, repetition, answer) of every request that has a result, page by page. None: it failed."""
        last = 0
        while True:
            query = (
                select(Result.id, Result.prompt_index, Result.repetition, Result.outcome, Result.response)
                .where(Result.benchmark_id == benchmark_id, Result.id > last)
                .order_by(Result.id)
                .limit(ANSWERS_A_PAGE)
            )
            async with self._database.read() as session:
                rows = (await session.execute(query)).all()
            if not rows:
                return
            yield [
                (row.prompt_index, row.repetition, (row.response or "") if row.outcome == "succeeded" else None)
                for row in rows
            ]
            last = rows[-1].id

    async def id_after(self, benchmark_id: int, count: int) -> int | None:
        """The id of the result that was stored after so many others of the benchmark. None: there is none."""
        query = select(Result.id).where(Result.benchmark_id == benchmark_id).order_by(Result.id)
        async with self._database.read() as session:
            found: int | None = await session.scalar(query.offset(count).limit(1))
        return found

    async def all_for_summary(self, benchmark_id: int, *, stage: int | None = None) -> AsyncIterator[Result]:
        """Every result with its timeline, read in pages so that they are never all in memory. `stage`: only its own."""
        last = 0
        while True:
            query = (
                select(Result)
                .where(Result.benchmark_id == benchmark_id, Result.id > last)
                .where(true() if stage is None else Result.stage == stage)
                .options(undefer(Result.timeline))
                .order_by(Result.id)
                .limit(500)
            )
            async with self._database.read() as session:
                rows = (await session.scalars(query)).all()
            for row in rows:
                yield row
            if not rows:
                return
            last = rows[-1].id


# Statements that every transaction of a run has are made once: making one takes time, and leaves cycles to the garbage
# collector.


@cache
def _insertion(insert: Callable[[Table], Any]) -> Any:
    """Stores results that are not there yet, and returns what it has stored. One for each dialect.

    The rows are parameters, not part of the statement: so it is compiled once for any number of rows.
    """
    return (
        insert(_TABLE)
        .on_conflict_do_nothing(index_elements=["benchmark_id", "prompt_index", "repetition"])
        .returning(_TABLE.c.prompt_index, _TABLE.c.repetition, _TABLE.c.outcome, _TABLE.c.ttft_ms, _TABLE.c.cost_usd)
    )


@cache
def _counting() -> Update:
    """Moves a benchmark's counters. What is None stays as it is."""
    columns = _BENCHMARKS.c

    def new(name: str, column: Column[Any]) -> ColumnElement[Any]:
        return bindparam(name, type_=column.type)

    return (
        update(_BENCHMARKS)
        .where(columns.id == bindparam("of_id"))
        .values(
            done=columns.done + new("new", columns.done),
            errors=columns.errors + new("new_errors", columns.errors),
            dispatched=func.coalesce(new("mark", columns.dispatched), columns.dispatched),
            live=func.coalesce(new("live_now", columns.live), columns.live),
            last_ttft_ms=func.coalesce(new("latest", columns.last_ttft_ms), columns.last_ttft_ms),
            # Null until one request has a known cost: unknown is not zero.
            cost_usd=func.coalesce(
                func.coalesce(columns.cost_usd, Decimal(0)) + new("cost", columns.cost_usd), columns.cost_usd
            ),
        )
    )


def _row(benchmark_id: int, record: ResultRecord) -> dict[str, Any]:
    usage = record.usage
    return {
        "benchmark_id": benchmark_id,
        **{name: getattr(record, name) for name in _COPIED},
        **record.metrics,
        **{name: getattr(usage, name) for name in REPORTED},
        "token_source": "usage" if usage.output_tokens is not None else None,
        "error": record.error.document() if record.error else None,
    }
