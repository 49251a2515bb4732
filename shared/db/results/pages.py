"""Reads the results of one benchmark for the API: first which ones and how large they are, then a few at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import undefer

from shared.access.caller import Caller
from shared.db.access.owned import of_seen, sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Result, did_not_succeed
from shared.db.tables.types import byte_length
from shared.numbers.metrics import METRICS

# Columns that `GET …/results?sort=` takes.
SORTABLE = ("id", *(metric.name for metric in METRICS.values() if metric.sortable))
# About the bytes that a result takes as JSON without its texts, and that a byte of a stored timeline takes.
PLAIN_BYTES, JSON_OF_TIMELINE = 2_000, 15
# About the bytes of text that a token stands for.
BYTES_OF_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ListedResult:
    """A result of a page. `value`: of the column that sorts the page; `size`: about its bytes as JSON."""

    id: int
    prompt_index: int
    value: Any
    size: int


@dataclass(frozen=True, slots=True)
class SentPrompt:
    """A prompt that has a result. `repetition`: its last one; `size`: about its bytes."""

    prompt_index: int
    repetition: int
    size: int


@dataclass(frozen=True, slots=True)
class ShownResult:
    """A result as a row of a table. `answer`: the beginning of its text."""

    id: int
    prompt_index: int
    repetition: int
    stage: int | None
    turn: int | None
    warmup: bool
    outcome: str
    sent_at: datetime
    ttft_ms: float | None
    latency_ms: float | None
    tokens_per_second: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: Decimal | None
    error: dict[str, Any] | None
    flags: list[str]
    answer: str | None


# As charts count them.
_WITHIN = {"input_tokens": func.coalesce(Result.total_input_tokens, Result.input_tokens)}
_SHOWN = tuple(item.name for item in fields(ShownResult) if item.name != "answer")


@tries_again
class ResultPages:
    """Pages of `results`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def in_order(
        self, benchmark_id: int, *, limit: int, with_warmup: bool, with_timeline: bool
    ) -> list[ListedResult]:
        """The first results in the order of the prompts, as `GET /benchmarks/{id}` embeds them."""
        order = (Result.repetition, Result.prompt_index)
        query = select(Result.id, Result.prompt_index, Result.repetition.label("value"))
        query = query.where(Result.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))
        if not with_warmup:
            # Warm-up has negative repetitions.
            query = query.where(Result.repetition >= 0)
        return await self._listed(query.order_by(*order).limit(limit), with_timeline)

    async def page(
        self,
        benchmark_id: int,
        *,
        outcome: str | None,
        warmup: bool | None,
        sort: str,
        descending: bool,
        after: tuple[Any, int] | None,
        limit: int,
        with_timeline: bool,
        within: Mapping[str, tuple[Any, Any]] | None = None,
    ) -> list[ListedResult]:
        """Results sorted by a column, nulls last, equal values by id. `after`: (value, id) of the result before.

        `within`: the lowest and the highest value of columns, by name.
        """
        query = select(Result.id, Result.prompt_index, getattr(Result, sort).label("value"))
        query = query.where(Result.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))
        if outcome is not None:
            query = query.where(Result.outcome == outcome)
            if outcome != "succeeded":
                query = query.where(did_not_succeed())
        if warmup is not None:
            query = query.where(Result.warmup.is_(warmup))
        for name, (low, high) in (within or {}).items():
            query = query.where(_WITHIN.get(name, getattr(Result, name)).between(low, high))
        return await self._listed(_sorted(query, sort, descending, after).limit(limit), with_timeline)

    async def sent_prompts(self, benchmark_id: int, *, after: int, limit: int) -> list[SentPrompt]:
        """The prompts with indexes above `after` that have a result, in order."""
        tokens = func.coalesce(func.max(func.coalesce(Result.total_input_tokens, Result.input_tokens)), 0)
        query = (
            select(Result.prompt_index, func.max(Result.repetition), tokens * BYTES_OF_TOKEN)
            .where(Result.benchmark_id == benchmark_id, Result.prompt_index > after, sees(self._caller, benchmark_id))
            .group_by(Result.prompt_index)
            .order_by(Result.prompt_index)
            .limit(limit)
        )
        async with self._database.read() as session:
            return [SentPrompt(*row) for row in await session.execute(query)]

    async def rows(self, ids: Sequence[int], *, with_timeline: bool) -> list[Result]:
        """The results with these ids, in this order. Those that were deleted meanwhile are missing."""
        query = select(Result).where(Result.id.in_(ids), of_seen(self._caller, Result.benchmark_id))
        if with_timeline:
            query = query.options(undefer(Result.timeline))
        async with self._database.read() as session:
            found = {row.id: row for row in await session.scalars(query)}
        return [found[number] for number in ids if number in found]

    async def shown(self, ids: Sequence[int], characters: int) -> list[ShownResult]:
        """The results with these ids, in this order, with so many characters of each answer."""
        answer = func.substr(Result.response, 1, characters)
        query = select(*(getattr(Result, name) for name in _SHOWN), answer).where(Result.id.in_(ids))
        query = query.where(of_seen(self._caller, Result.benchmark_id))
        async with self._database.read() as session:
            found = {row[0]: ShownResult(*tuple(row)) for row in await session.execute(query)}
        return [found[number] for number in ids if number in found]

    async def _listed(self, chosen: Select[int, int, Any], with_timeline: bool) -> list[ListedResult]:
        """`chosen` selects id, prompt index and value. Only the results that it leaves are measured."""
        async with self._database.read() as session:
            rows = (await session.execute(chosen)).all()
            if not rows:
                return []
            measure = select(Result.id, _size(with_timeline).label("size"))
            measured = await session.execute(measure.where(Result.id.in_([row.id for row in rows])))
            sizes = {row.id: row.size for row in measured}
        return [ListedResult(number, index, value, sizes[number]) for number, index, value in rows]


def _size(with_timeline: bool) -> ColumnElement[int]:
    """About the bytes that a result takes as JSON."""
    texts = (Result.response, Result.reasoning)
    size = literal(PLAIN_BYTES) + sum((func.coalesce(byte_length(text), 0) for text in texts), literal(0))
    if with_timeline:
        size += JSON_OF_TIMELINE * func.coalesce(byte_length(Result.timeline), 0)
    return size


def _sorted(query: Select[Any], sort: str, descending: bool, after: tuple[Any, int] | None) -> Select[Any]:
    column = getattr(Result, sort)
    if sort == "id":
        if after is not None:
            query = query.where(Result.id < after[1] if descending else Result.id > after[1])
        return query.order_by(Result.id.desc() if descending else Result.id.asc())
    if after is not None:
        value, last_id = after
        if value is None:
            query = query.where(column.is_(None), Result.id > last_id)
        else:
            beyond = column < value if descending else column > value
            query = query.where(or_(beyond, column.is_(None), and_(column == value, Result.id > last_id)))
    return query.order_by(column.is_(None), column.desc() if descending else column.asc(), Result.id)
