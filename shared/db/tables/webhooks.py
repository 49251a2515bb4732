"""The tables of webhooks: endpoints, events, their deliveries and the attempts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.access.owner import DEFAULT_OWNER
from shared.db.tables.access import OWNER
from shared.db.tables.base import Base, index, one_of
from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime
from shared.webhooks.message import DELIVERY_STATUSES, DeliveryStatus

# Characters of a URL that make its lane.
LANE = 200
# In `owner_events`, in place of a list of types.
ALL_EVENTS = "*"


class WebhookEndpoint(Base):
    """A URL that gets the events of all benchmarks, or of one."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    # The benchmark that named it for itself. None: registered for all benchmarks.
    benchmark_id: Mapped[int | None] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"), index=True)
    owner: Mapped[str] = mapped_column(OWNER, server_default=DEFAULT_OWNER)
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    # Types of events; None: all. Read `chosen` instead.
    events: Mapped[list[str] | None] = mapped_column(JsonDocument)
    # The events of an endpoint whose owner is not `default`; `["*"]`: all. Its `events` are empty, so that workers of
    # the version before, which know no owners, tell it nothing.
    owner_events: Mapped[list[str] | None] = mapped_column(JsonDocument)
    # [{"sealed": …, "expires_at": …}], newest first, encrypted.
    secrets: Mapped[list[dict[str, Any]]] = mapped_column(JsonDocument)
    enabled: Mapped[bool] = mapped_column(Boolean, server_default=true())
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    # Since when no delivery has succeeded.
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def chosen(self) -> Sequence[str] | None:
        """The types of events that it gets; None: all."""
        return chosen_events(self.owner, self.events, self.owner_events)


def stored_events(owner: str, chosen: Sequence[str] | None) -> dict[str, list[str] | None]:
    """The columns of an endpoint that say which events it gets. None: all."""
    if owner == DEFAULT_OWNER:
        return {"events": None if chosen is None else list(chosen), "owner_events": None}
    return {"events": [], "owner_events": [ALL_EVENTS] if chosen is None else list(chosen)}


def chosen_events(owner: str, events: Sequence[str] | None, owner_events: Sequence[str] | None) -> Sequence[str] | None:
    """The opposite of `stored_events`."""
    if owner == DEFAULT_OWNER:
        return events
    return None if owner_events == [ALL_EVENTS] else owner_events or ()


class WebhookEvent(Base):
    """A change of a benchmark's status, written in the same transaction, a budget that is reached, or a test."""

    __tablename__ = "webhook_events"
    __table_args__ = (
        UniqueConstraint("benchmark_id", "sequence"),
        index("ix_webhook_events_about_benchmark_id", "about_benchmark_id", where="about_benchmark_id IS NOT NULL"),
    )

    # The `webhook-id` of every attempt.
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    type: Mapped[str] = mapped_column(String(32))
    benchmark_id: Mapped[int | None] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"))
    # The benchmark that an event names which is not its own. The event outlives it, so this is no foreign key.
    about_benchmark_id: Mapped[int | None] = mapped_column(BigKey)
    # 1, 2 … within the benchmark.
    sequence: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebhookDelivery(Base):
    """One event on its way to one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint(one_of("status", DELIVERY_STATUSES), name="status"),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
        # What a worker may send, in order of time; the same by lane; and what workers send now.
        index("ix_webhook_deliveries_waiting", "next_attempt_at", "id", where="status = 'pending' AND lane <> ''"),
        index("ix_webhook_deliveries_lane", "lane", "next_attempt_at", "id", where="status = 'pending'"),
        index("ix_webhook_deliveries_leased", "lease_expires_at", where="lease_expires_at IS NOT NULL"),
        index("ix_webhook_deliveries_pending_of", "endpoint_id", where="status = 'pending'"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("webhook_events.id", ondelete="CASCADE"), index=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    status: Mapped[DeliveryStatus] = mapped_column(String(16))
    # The beginning of the endpoint's URL: workers bound the attempts of a lane. Empty while the endpoint is disabled,
    # None in rows of older versions.
    lane: Mapped[str | None] = mapped_column(String(LANE))
    # How many attempts have begun. The number of the latest is also the fence of the worker that makes it.
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    # Failures since the schedule was last started.
    step: Mapped[int] = mapped_column(Integer, server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookAttempt(Base):
    """One HTTP request of a delivery. Its row is written before it is sent and completed afterwards."""

    __tablename__ = "webhook_attempts"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    url: Mapped[str] = mapped_column(Text)
    attempted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status_code: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[float | None] = mapped_column(Float(53))
    error: Mapped[str | None] = mapped_column(Text)
    response: Mapped[str | None] = mapped_column(Text)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


# The conditions of partial indexes. Their values stand in the statement itself: with parameters, SQLite could not tell
# that an index is of use.


def is_pending() -> ColumnElement[bool]:
    """The delivery has neither succeeded nor failed for good."""
    return WebhookDelivery.status == literal_column("'pending'")


def is_waiting() -> ColumnElement[bool]:
    """The delivery is pending, and its endpoint was enabled when a worker last looked."""
    return and_(is_pending(), WebhookDelivery.lane != literal_column("''"))
