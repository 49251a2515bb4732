"""The statements of claims. They are built once, because building them takes a fifth of the time of a claim."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import aliased

from shared.db.runs.endpoint_lanes import lane_of
from shared.db.tables.access import OwnerRow
from shared.db.tables.benchmarks import Benchmark, Segment, is_open
from shared.db.tables.types import utc_now
from shared.providers.identity import Holdings


class ClaimStatements:
    """Those for workers with the same ceilings.

    `next` reads the benchmark whose turn it is if some are left out (`closed`, `full`, `locked`, `drains`).
    `take_head` takes the one whose turn it is at once if it asks for nothing, `take` the one of the id `chosen`.
    """

    def __init__(self, lease_s: float, *, held: bool, ceilings: Mapping[str, int]) -> None:
        self.next = _head(held, ceilings, passing=True)
        head = _head(held, ceilings).subquery()
        free_head = select(head.c.id).where(not_(head.c.is_asking)).scalar_subquery()
        self.take_head = _take(lease_s, free_head)
        self.take = _take(lease_s, bindparam("chosen"))


# A new version of the endpoints may have other ceilings.
@lru_cache(maxsize=4)
def claim_statements(lease_s: float, held: bool, ceilings: frozenset[tuple[str, int]]) -> ClaimStatements:
    """`held`: the workers have certain endpoints only. `ceilings`: each lane of an endpoint and its most streams."""
    return ClaimStatements(lease_s, held=held, ceilings=dict(ceilings))


class OverdueStatements:
    """Those of claims that only fail a benchmark. `after_s`: minus the seconds that it has waited at least."""

    def __init__(self, lease_s: float) -> None:
        is_overdue = Benchmark.unclaimable_since < utc_now(bindparam("after_s", type_=Float(53)))
        oldest = select(Benchmark.id).where(free(), is_overdue).order_by(Benchmark.id).limit(1)
        self.look = oldest
        self.take = _take(lease_s, oldest.with_for_update(skip_locked=True).scalar_subquery(), to_run=False)


@cache
def overdue_statements(lease_s: float) -> OverdueStatements:
    return OverdueStatements(lease_s)


def of_holdings() -> ColumnElement[bool]:
    """The condition that its endpoint is among those of `held_values`."""
    known = Benchmark.endpoint_key.in_(bindparam("keys", expanding=True))
    # Older versions submitted it: only the name of its endpoint is known.
    named = and_(Benchmark.endpoint_key.is_(None), Benchmark.provider.in_(bindparam("names", expanding=True)))
    return or_(known, named)


def held_values(holdings: Holdings) -> dict[str, Any]:
    """The parameters of `of_holdings`."""
    return {"keys": list(holdings.keys), "names": list(holdings.names)}


def free() -> ColumnElement[bool]:
    """It has not ended, and no worker holds a valid lease of it. A pending one has no lease."""
    unleased = or_(Benchmark.lease_expires_at.is_(None), Benchmark.lease_expires_at < utc_now())
    return and_(is_open(), unleased)


def exceeds(ceilings: Mapping[str, int]) -> ColumnElement[bool]:
    """It has more streams than its endpoint allows, so it never fits."""
    each = [and_(Benchmark.endpoint_lane == lane, Benchmark.streams > most) for lane, most in ceilings.items()]
    return func.coalesce(or_(false(), *each), false())


def _head(held: bool, ceilings: Mapping[str, int], *, passing: bool = False) -> Any:
    """The benchmark whose turn it is: the oldest of the owner who was served longest ago.

    Of each owner, the oldest is found by one look into the index, however many the owner has.
    """
    cancelled, lane = Benchmark.cancel_requested_at.is_not(None), lane_of(Benchmark)
    counts = Benchmark.streams.is_not(None)
    # Its worker is silent: it has room on its endpoint already, and whoever takes it over needs no more.
    has_room = and_(Benchmark.status == "running", Benchmark.lease_owner.is_not(None))
    may_run = of_holdings() if held else true()
    wanted = free()
    if ceilings:
        may_run = and_(may_run, or_(has_room, not_(exceeds(ceilings))))
    if passing:
        is_open_to_it = and_(
            lane.not_in(bindparam("closed", expanding=True)),
            or_(not_(counts), lane.not_in(bindparam("full", expanding=True))),
        )
        may_run = and_(may_run, not_(bindparam("drains", type_=Boolean)), or_(has_room, is_open_to_it))
        wanted = and_(wanted, Benchmark.id.not_in(bindparam("locked", expanding=True)))
    owners = _owners_with_open_ones()
    # A range in place of `=`: else PostgreSQL may look for the owner's first one among the open ones of all owners.
    oldest = (
        select(Benchmark.id)
        .where(Benchmark.owner >= owners.c.owner, Benchmark.owner <= owners.c.owner)
        .where(wanted, or_(cancelled, may_run))
        .order_by(Benchmark.owner, Benchmark.id)
        .limit(1)
        .scalar_subquery()
    )
    found = select(owners.c.owner, oldest.label("id")).where(owners.c.owner.is_not(None)).subquery()
    other = aliased(Benchmark)
    is_quiet = exists().where(other.status == "running", other.exclusive, other.lease_owner.is_not(None))
    is_bounded = and_(counts, lane.in_(list(ceilings))) if ceilings else false()
    # An owner without a row has not been served yet, so it comes before all others.
    turn = func.coalesce(OwnerRow.turn, select(func.min(OwnerRow.turn) - 1).scalar_subquery(), 0)
    return (
        select(
            Benchmark.id,
            lane.label("lane"),
            Benchmark.streams,
            Benchmark.exclusive,
            has_room.label("has_room"),
            # Of a cancelled one nothing is sent.
            and_(not_(cancelled), or_(Benchmark.exclusive, and_(not_(has_room), or_(is_quiet, is_bounded)))).label(
                "is_asking"
            ),
        )
        .join(found, found.c.id == Benchmark.id)
        .outerjoin(OwnerRow, OwnerRow.name == found.c.owner)
        .order_by(turn, Benchmark.id)
        .limit(1)
    )


def _owners_with_open_ones() -> Any:
    """Each is found by one look into the index, however many benchmarks the one before has."""

    def after(name: ColumnElement[str]) -> Any:
        owner = Benchmark.owner
        return select(owner).where(is_open(), owner > name).order_by(owner).limit(1).scalar_subquery()

    owners = select(after(literal("")).label("owner")).cte("owners_waiting", recursive=True)
    return owners.union_all(select(after(owners.c.owner)).where(owners.c.owner.is_not(None)))


def _take(lease_s: float, chosen: Any, *, to_run: bool = True) -> Any:
    """Gives the chosen benchmark to the worker `claimer`, unless another transaction is changing it.

    Besides the benchmark, it returns the owner who was served last before; None if that is not one owner.
    `to_run`: the worker can run it, and it starts now.
    """
    begun = exists().where(Segment.benchmark_id == Benchmark.id)
    locked = select(Benchmark.id).where(Benchmark.id == chosen, free()).with_for_update(skip_locked=True)
    started_at = case((Benchmark.started_at.is_(None), utc_now()), else_=Benchmark.started_at)
    # A worker that was only to fail it, and died, ran nothing.
    died = and_(Benchmark.status == "running", Benchmark.lease_owner.is_not(None), Benchmark.started_at.is_not(None))
    starts = {"started_at": started_at, "unclaimable_since": None, "unclaimable": None}
    # At the beginning, owners share a turn.
    highest = select(func.max(OwnerRow.turn)).scalar_subquery()
    last = select(func.min(OwnerRow.name)).where(OwnerRow.turn == highest).having(func.count() == 1).scalar_subquery()
    return (
        update(Benchmark)
        .where(Benchmark.id == locked.scalar_subquery(), free())
        .values(
            status="running",
            lease_owner=bindparam("claimer"),
            lease_expires_at=utc_now(lease_s),
            fence=Benchmark.fence + 1,
            # A worker that left before it sent anything interrupted nothing. The row shows a late `begin` that
            # committed while this statement waited for it; a segment shows a run whose release has reset the row.
            interrupted=or_(Benchmark.interrupted, Benchmark.done > 0, Benchmark.dispatched > 0, begun),
            crashes=Benchmark.crashes + case((died, 1), else_=0),
            **(starts if to_run else {}),
        )
        .returning(Benchmark, last.label("last"))
    )
