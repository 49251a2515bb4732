"""Lanes of deliveries: those to one URL. A slow receiver fills its own lane and holds up no other.

A delivery whose endpoint is disabled is put aside: a worker that meets it empties its lane, so that no worker meets it
again. Enabling the endpoint puts it back.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables.types import as_constant, utc_now
from shared.db.tables.webhooks import LANE, WebhookDelivery, WebhookEndpoint, is_pending, is_waiting

# The most attempts in one lane at the same time, over all workers.
IN_ONE_LANE = 8
# Due deliveries that are looked at together.
WINDOW = 256
# Lanes that are looked at together, and how many of them may give deliveries.
LANES_SEEN, LANES_USED = 1_000, 32
# How often a claim looks again after it has put deliveries aside.
ROUNDS = 20


def unclaimed() -> ColumnElement[bool]:
    """No worker sends it now."""
    return or_(WebhookDelivery.lease_expires_at.is_(None), WebhookDelivery.lease_expires_at < utc_now())


def is_due() -> ColumnElement[bool]:
    """A worker may send it now."""
    return and_(is_waiting(), WebhookDelivery.next_attempt_at <= as_constant(utc_now()), unclaimed())


def lane_of(endpoint_id: int) -> ScalarSelect[str]:
    """The lane of an endpoint's deliveries."""
    return select(func.substr(WebhookEndpoint.url, 1, LANE)).where(WebhookEndpoint.id == endpoint_id).scalar_subquery()


async def clear_lanes(session: AsyncSession, endpoints: ColumnElement[bool]) -> None:
    """Forgets the lanes of pending deliveries of some endpoints, whose URL has changed or which were enabled.

    The next claim sets them.
    """
    of = select(WebhookEndpoint.id).where(endpoints)
    await session.execute(
        update(WebhookDelivery).where(WebhookDelivery.endpoint_id.in_(of), is_pending()).values(lane=None),
        execution_options={"synchronize_session": False},
    )


async def set_missing_lanes(session: AsyncSession) -> None:
    """Gives a lane to the deliveries that have none, such as those that a process of an older version added."""
    url = select(WebhookEndpoint.url).where(WebhookEndpoint.id == WebhookDelivery.endpoint_id).scalar_subquery()
    await session.execute(
        update(WebhookDelivery)
        .where(is_pending(), WebhookDelivery.lane.is_(None))
        .values(lane=func.substr(url, 1, LANE)),
        execution_options={"synchronize_session": False},
    )


class LaneReader:
    """Chooses due deliveries, the oldest first, without reading all that wait in a full lane."""

    def __init__(self) -> None:
        # Where the look at lanes goes on.
        self._after = ""

    async def choose(self, session: AsyncSession, limit: int, without: Collection[int]) -> list[int]:
        """Ids of up to `limit` due deliveries, at most IN_ONE_LANE in each lane, those under way included."""
        for _ in range(ROUNDS):
            choice = _Choice(await _under_way(session), limit, without)
            rows = await _due_rows(session, WINDOW)
            choice.add(rows)
            if len(rows) == WINDOW and not choice.is_full:
                await self._look_at_lanes(session, choice)
            if choice.aside:
                await _put_aside(session, choice.aside)
            if choice.ids or not choice.aside:
                break
        return choice.ids

    async def _look_at_lanes(self, session: AsyncSession, choice: "_Choice") -> None:
        """Few lanes hold all of the window, and they are full: looks at each lane instead."""
        found = (await session.execute(_oldest_by_lane(self._after))).all()
        self._after = found[-1].lane if len(found) == LANES_SEEN else ""
        open_lanes = sorted((row.at, row.lane) for row in found if row.at is not None and choice.has_room(row.lane))
        for _, lane in open_lanes[:LANES_USED]:
            choice.add(await _due_rows(session, WINDOW // LANES_USED, lane))


class _DueRow(NamedTuple):
    """A due delivery. `enabled`: its endpoint is."""

    id: int
    lane: str
    endpoint_id: int
    enabled: bool


class _Choice:
    """The deliveries to send, and those to put aside."""

    def __init__(self, under_way: dict[str, int], limit: int, without: Collection[int]) -> None:
        self.ids: list[int] = []
        self.aside: list[_DueRow] = []
        self._in_lane = dict(under_way)
        self._limit = limit
        self._seen = set(without)

    @property
    def is_full(self) -> bool:
        return len(self.ids) >= self._limit

    def has_room(self, lane: str) -> bool:
        return self._in_lane.get(lane, 0) < IN_ONE_LANE

    def add(self, rows: Sequence[_DueRow]) -> None:
        for row in rows:
            if row.id in self._seen:
                continue
            self._seen.add(row.id)
            if not row.enabled:
                self.aside.append(row)
            elif not self.is_full and self.has_room(row.lane):
                self.ids.append(row.id)
                self._in_lane[row.lane] = self._in_lane.get(row.lane, 0) + 1


async def _under_way(session: AsyncSession) -> dict[str, int]:
    """How many deliveries of each lane workers send now."""
    query = (
        select(WebhookDelivery.lane, func.count())
        .where(WebhookDelivery.lease_expires_at >= as_constant(utc_now()))
        .group_by(WebhookDelivery.lane)
    )
    return {lane: count for lane, count in await session.execute(query) if lane}


async def _due_rows(session: AsyncSession, limit: int, lane: str | None = None) -> Sequence[_DueRow]:
    """The oldest due deliveries, of one lane or of all."""
    place = (WebhookDelivery.next_attempt_at, WebhookDelivery.id)
    query = select(*place, WebhookDelivery.lane, WebhookDelivery.endpoint_id).where(is_due())
    if lane is not None:
        query = query.where(WebhookDelivery.lane == lane)
    # First the few rows, then their endpoints: a join of all rows would be sorted as a whole.
    due = query.order_by(*place).limit(limit).subquery()
    rows = await session.execute(
        select(due.c.id, due.c.lane, due.c.endpoint_id, WebhookEndpoint.enabled)
        .join(WebhookEndpoint, WebhookEndpoint.id == due.c.endpoint_id)
        .order_by(due.c.next_attempt_at, due.c.id)
    )
    return [_DueRow(*row) for row in rows]


async def _put_aside(session: AsyncSession, rows: Sequence[_DueRow]) -> None:
    """Empties the lanes of those deliveries whose endpoints are still disabled."""
    endpoints = {row.endpoint_id for row in rows}
    disabled = select(WebhookEndpoint.id).where(WebhookEndpoint.id.in_(endpoints), WebhookEndpoint.enabled.is_(False))
    # The endpoint was read without a lock. Without one, it could be enabled before this update: then nobody would put
    # the delivery back. An endpoint that is locked is changing, so it is looked at again later.
    off = set(await session.scalars(disabled.with_for_update(read=True, skip_locked=True)))
    await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id.in_([row.id for row in rows if row.endpoint_id in off]))
        .values(lane=""),
        execution_options={"synchronize_session": False},
    )


def _oldest_by_lane(after: str) -> Select[tuple[str, datetime | None]]:
    """Lanes with pending deliveries, by name from `after` on, each with the instant of its oldest due delivery.

    Each lane is found by one look into the index, however many deliveries it has.
    """

    def lane_after(name: ColumnElement[str]) -> ScalarSelect[str | None]:
        lane = WebhookDelivery.lane
        return select(lane).where(is_pending(), lane > name).order_by(lane).limit(1).scalar_subquery()

    lanes = select(lane_after(literal(after)).label("lane"), literal(1).label("number")).cte("lanes", recursive=True)
    following = lane_after(lanes.c.lane)
    lanes = lanes.union_all(
        select(following, lanes.c.number + 1).where(lanes.c.lane.is_not(None), lanes.c.number < LANES_SEEN)
    )
    # A range in place of `=`: else PostgreSQL may look for the lane's first one among the due deliveries of all lanes.
    # And no bound of time: behind the range, it would be compared with every delivery of the lane.
    oldest = (
        select(WebhookDelivery.next_attempt_at)
        .where(is_waiting(), unclaimed(), WebhookDelivery.lane >= lanes.c.lane, WebhookDelivery.lane <= lanes.c.lane)
        .order_by(WebhookDelivery.lane, WebhookDelivery.next_attempt_at)
        .limit(1)
        .scalar_subquery()
    )
    seen = select(lanes.c.lane, oldest.label("at")).where(lanes.c.lane.is_not(None)).subquery()
    due = case((seen.c.at <= as_constant(utc_now()), seen.c.at))
    return select(seen.c.lane, due.label("at")).order_by(seen.c.lane)
