"""The tables of money, in whole micro-dollars: budgets, caps, reservations and the ledger.

None has a foreign key: what was spent stays when a benchmark is deleted.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.tables.access import KEY_ID, OWNER
from shared.db.tables.base import Base
from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime

CAP_KEY = String(120)


class Budget(Base):
    """An operator's rule: a key or an owner may spend so much a day or a month."""

    __tablename__ = "budgets"
    __table_args__ = (Index("ix_budgets_owner", "owner"),)

    # `key:ab12cd34:day`, `owner:acme:month`.
    key: Mapped[str] = mapped_column(CAP_KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER)
    key_id: Mapped[str | None] = mapped_column(KEY_ID)
    # `day` or `month`.
    period: Mapped[str] = mapped_column(String(8))
    cap: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Cap(Base):
    """A counter that spending must not take beyond its bound. `spent + reserved` stays at or below `cap`."""

    __tablename__ = "caps"
    __table_args__ = (CheckConstraint("spent >= 0 AND reserved >= 0", name="amounts"), Index("ix_caps_owner", "owner"))

    # `benchmark:12`, `key:ab12cd34:day:2026-11-27`, `owner:acme:month:2026-11`.
    key: Mapped[str] = mapped_column(CAP_KEY, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER)
    cap: Mapped[int] = mapped_column(BigInteger)
    spent: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reserved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # When it first refused money.
    reached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Reservation(Base):
    """What requests that were marked as about to be sent may cost, until they are settled."""

    __tablename__ = "reservations"

    benchmark_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    # The lease under which it was made.
    fence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # The day whose caps it was taken from.
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    # Keys of the caps that it was taken from, in their order.
    caps: Mapped[list[str]] = mapped_column(JsonDocument)
    amount: Mapped[int] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Spend(Base):
    """The ledger: what a benchmark spent on a day."""

    __tablename__ = "spend"
    __table_args__ = (Index("ix_spend_owner_day", "owner", "day"), Index("ix_spend_key_id_day", "key_id", "day"))

    benchmark_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER)
    key_id: Mapped[str | None] = mapped_column(KEY_ID)
    model: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    # How much of `amount` is the worst case of requests whose cost is not known.
    worst_case: Mapped[int] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(Integer)
    # Requests without a price. They count nothing.
    unpriced: Mapped[int] = mapped_column(Integer)
