"""Lists benchmarks, and reads their prompts, for the API."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, literal, null, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased, defer

from shared.access.caller import Caller
from shared.benchmark.status import Status
from shared.db.access.owned import few_ids, of_owner, of_seen, sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark, BenchmarkMetadata, Prompt
from shared.db.tables.types import UtcDateTime, byte_length, last_turn, light_spec, unindexed

# Specs up to this many bytes are listed as they are.
WHOLE_SPEC_BYTES = 16_384
# The system text of a larger spec is cut after this many characters, and its `stop` is left out.
SYSTEM_SHOWN = 1_000
# A search in names looks at this many benchmarks for one page.
NAMES_A_PAGE = 20_000


@dataclass(frozen=True, slots=True)
class BenchmarkFilter:
    """The filters of a list of benchmarks. None: this filter is not set."""

    status: Status | None = None
    model: str | None = None
    provider: str | None = None
    name_contains: str | None = None
    rerun_of: int | None = None
    # Each is a `key:value` that the metadata must have.
    metadata: Sequence[str] = ()
    created_from: datetime | None = None
    created_before: datetime | None = None

    @property
    def by_time(self) -> bool:
        """The list is in the order of `created_at`, since an index of ids would not help to find a time."""
        return self.created_from is not None or self.created_before is not None


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a benchmark in a list. `created_at` counts only in lists that are filtered by time."""

    id: int
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedBenchmark:
    """A row of a list. `spec`: the stored document; `cut`: names of its fields that are cut or left out."""

    benchmark: Benchmark
    spec: Any
    cut: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BenchmarkList:
    """A page. `next`: where the next one begins; None on the last one."""

    items: Sequence[ListedBenchmark]
    next: Position | None = None


@dataclass(frozen=True, slots=True)
class ListedPrompt:
    """A prompt of a page. `size`: the bytes of its stored document."""

    prompt_index: int
    size: int


@tries_again
class BenchmarkPages:
    """Pages of `benchmarks` and `prompts`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def page(
        self, where: BenchmarkFilter, *, before: Position | None, limit: int, oldest_first: bool = False
    ) -> BenchmarkList:
        """Benchmarks that pass the filters, newest first, from below `before` on; `oldest_first`: from above it on.

        With `name_contains` a page may have fewer than `limit` although it is not the last one.
        """
        async with self._database.read() as session:
            chosen, key = await self._chosen(session, where)
            if before is not None:
                chosen = chosen.where(_is_beyond(before, where, key, oldest_first))
            following = None
            if where.name_contains is not None:
                edge, following = await self._edge_of_search(session, before, oldest_first)
                # For both: each database takes the index of names or that of pairs.
                for column in (Benchmark.id, key):
                    chosen = chosen.where(column <= edge if oldest_first else column >= edge)
            # Indexes choose the ids; only then are rows read, since they are large.
            ids = chosen.order_by(*_order(where, key, oldest_first)).limit(limit + 1)
            rows = (
                await session.execute(
                    _COLUMNS.where(Benchmark.id.in_(ids)).order_by(*_order(where, Benchmark.id, oldest_first))
                )
            ).all()
            items = [ListedBenchmark(benchmark, spec) for benchmark, spec in rows[:limit]]
            if len(rows) > limit:
                last = items[-1].benchmark
                following = Position(last.id, last.created_at)
            return BenchmarkList(await _with_light_specs(session, items), following)

    async def of_ids(self, ids: Collection[int]) -> list[ListedBenchmark]:
        """These benchmarks, newest first, without those that were deleted."""
        these = and_(Benchmark.id.in_(sorted(set(ids))), of_owner(self._caller, Benchmark.owner))
        query = _COLUMNS.where(these).order_by(Benchmark.id.desc())
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
            return await _with_light_specs(session, [ListedBenchmark(benchmark, spec) for benchmark, spec in rows])

    async def count_newer(self, where: BenchmarkFilter, than: int, *, most: int) -> int:
        """How many benchmarks above the id `than` pass the filters; at most `most`."""
        async with self._database.read() as session:
            chosen, _ = await self._chosen(session, where)
            newer = chosen.where(Benchmark.id > than).limit(most).subquery()
            return await session.scalar(select(func.count()).select_from(newer)) or 0

    async def makes_prompts(self, benchmark_id: int) -> bool:
        """Whether its prompts are made from its workload and not stored. False once its texts were deleted."""
        source = Benchmark.spec_document[("workload", "source")].as_string()
        query = select(source).where(Benchmark.id == benchmark_id, Benchmark.texts_deleted_at.is_(None))
        query = query.where(of_owner(self._caller, Benchmark.owner))
        async with self._database.read() as session:
            return await session.scalar(query) not in (None, "prompts")

    async def prompt_texts(self, benchmark_id: int, indexes: Collection[int], characters: int) -> dict[int, str]:
        """The last turns of these prompts by index, each cut after so many characters."""
        text = func.substr(last_turn(Prompt.document), 1, characters)
        query = select(Prompt.prompt_index, text).where(
            self._of(benchmark_id), Prompt.prompt_index.in_(sorted(set(indexes)))
        )
        async with self._database.read() as session:
            return {row[0]: row[1] for row in await session.execute(query)}

    async def prompts(self, benchmark_id: int, *, after: int, limit: int) -> list[ListedPrompt]:
        """The prompts with indexes above `after`, in order."""
        size = byte_length(cast(Prompt.document, Text))
        query = select(Prompt.prompt_index, size).where(self._of(benchmark_id), Prompt.prompt_index > after)
        async with self._database.read() as session:
            rows = await session.execute(query.order_by(Prompt.prompt_index).limit(limit))
        return [ListedPrompt(*row) for row in rows]

    async def prompt_documents(self, benchmark_id: int, indexes: Sequence[int]) -> dict[int, str]:
        """The documents of these prompts by index, as JSON texts."""
        query = select(Prompt.prompt_index, cast(Prompt.document, Text)).where(
            self._of(benchmark_id), Prompt.prompt_index.in_(indexes)
        )
        async with self._database.read() as session:
            return {row[0]: row[1] for row in await session.execute(query)}

    def _of(self, benchmark_id: int) -> ColumnElement[bool]:
        """The prompts of a benchmark that the caller may see."""
        return and_(Prompt.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))

    async def _chosen(
        self, session: AsyncSession, where: BenchmarkFilter
    ) -> tuple[Select[int], InstrumentedAttribute[int]]:
        """The ids of the benchmarks that pass the filters, and the column that a list is ordered by if not by time."""
        chosen = select(Benchmark.id)
        if self._caller.sees_all:
            return _chosen(chosen, where)
        if where == BenchmarkFilter():
            return chosen.where(Benchmark.owner == self._caller.owner), Benchmark.id
        few = await few_ids(session, self._caller)
        if few is not None:
            return _chosen(chosen.where(Benchmark.id.in_(few)), where, of_few=True)
        if where.name_contains is not None:
            # Names are searched in an index that has no owners: only of those that fit, the row is read.
            return _chosen(chosen.where(of_seen(self._caller, Benchmark.id)), where)
        return _chosen(chosen.where(unindexed(Benchmark.owner) == self._caller.owner), where)

    async def _edge_of_search(
        self, session: AsyncSession, before: Position | None, oldest_first: bool
    ) -> tuple[int, Position | None]:
        """The last id that a search in names looks at for one page, and where the next page begins if there is one."""
        own = of_owner(self._caller, Benchmark.owner)
        # Each in a SELECT of its own: only then does SQLite look it up in the index.
        ends = (select(end(Benchmark.id)).where(own).scalar_subquery() for end in (func.min, func.max))
        first, last = (end or 0 for end in (await session.execute(select(*ends))).one())
        if oldest_first:
            edge = (first - 1 if before is None else before.id) + NAMES_A_PAGE
            return (edge, Position(edge)) if edge < last else (last, None)
        edge = (last + 1 if before is None else before.id) - NAMES_A_PAGE
        return (edge, Position(edge)) if edge > first else (0, None)


_IS_SMALL = byte_length(cast(Benchmark.spec_document, Text)) <= WHOLE_SPEC_BYTES
_COLUMNS = select(
    Benchmark,
    # None if it is large.
    case((_IS_SMALL, Benchmark.spec_document), else_=null()).label("spec"),
).options(defer(Benchmark.spec_document), defer(Benchmark.target))


def _chosen(
    chosen: Select[int], where: BenchmarkFilter, *, of_few: bool = False
) -> tuple[Select[int], InstrumentedAttribute[int]]:
    """`of_few`: each of the few benchmarks is looked at, and no index of a filter is read."""
    key = Benchmark.id
    for pair in where.metadata:
        having = aliased(BenchmarkMetadata)
        same = and_(having.benchmark_id == Benchmark.id, having.pair == pair)
        if of_few:
            chosen = chosen.where(select(having.benchmark_id).where(same).exists())
            continue
        chosen = chosen.join(having, same)
        # The index of pairs has the ids in order, and no database derives that from an equality alone.
        key = having.benchmark_id
    for condition in _conditions(where, unindexed if of_few else _as_it_is):
        chosen = chosen.where(condition)
    return chosen, key


def _as_it_is(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return column.expression


def _conditions(
    where: BenchmarkFilter, read: Callable[[InstrumentedAttribute[Any]], ColumnElement[Any]]
) -> Iterator[ColumnElement[bool]]:
    """`read`: makes of a column what is compared."""
    for column, value in (
        (Benchmark.status, where.status),
        (Benchmark.model, where.model),
        (Benchmark.provider, where.provider),
        (Benchmark.rerun_of, where.rerun_of),
    ):
        if value is not None:
            yield read(column) == value
    if where.name_contains is not None:
        # The database converts both sides to lower case. It may know only ASCII, so Python must convert neither.
        yield Benchmark.name.icontains(where.name_contains, autoescape=True)
    if where.created_from is not None:
        yield read(Benchmark.created_at) >= where.created_from
    if where.created_before is not None:
        yield read(Benchmark.created_at) < where.created_before


def _order(where: BenchmarkFilter, key: InstrumentedAttribute[int], oldest_first: bool) -> Sequence[ColumnElement[Any]]:
    columns: Sequence[InstrumentedAttribute[Any]] = (Benchmark.created_at, Benchmark.id) if where.by_time else (key,)
    return [column.asc() if oldest_first else column.desc() for column in columns]


def _is_beyond(
    position: Position, where: BenchmarkFilter, key: InstrumentedAttribute[int], oldest_first: bool
) -> ColumnElement[bool]:
    if where.by_time and position.created_at is not None:
        columns = tuple_(Benchmark.created_at, Benchmark.id)
        place = tuple_(literal(position.created_at, UtcDateTime), position.id)
        return columns > place if oldest_first else columns < place
    return key > position.id if oldest_first else key < position.id


async def _with_light_specs(session: AsyncSession, items: list[ListedBenchmark]) -> list[ListedBenchmark]:
    """Reads the specs that are too large to be listed whole, without their long texts."""
    large = [item.benchmark.id for item in items if item.spec is None]
    if not large:
        return items
    spec = Benchmark.spec_document
    system = spec["system"].as_string()
    query = select(
        Benchmark.id,
        light_spec(spec).label("light"),
        func.substr(system, 1, SYSTEM_SHOWN).label("system"),
        (func.length(system) > SYSTEM_SHOWN).label("system_cut"),
        spec[("parameters", "stop")].as_string().is_not(None).label("has_stop"),
    ).where(Benchmark.id.in_(large))
    found = {row.id: row for row in await session.execute(query)}
    return [item if item.spec is not None else _light(item.benchmark, found[item.benchmark.id]) for item in items]


def _light(benchmark: Benchmark, row: Any) -> ListedBenchmark:
    cut = [name for name, is_cut in (("system", row.system_cut), ("parameters.stop", row.has_stop)) if is_cut]
    spec = row.light if row.system is None else {**row.light, "system": row.system}
    return ListedBenchmark(benchmark, spec, cut)
