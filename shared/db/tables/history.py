"""The tables of what is looked at later: baselines, and charts that were computed once."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.access.owner import DEFAULT_OWNER
from shared.db.tables.access import OWNER
from shared.db.tables.base import Base
from shared.db.tables.types import UtcDateTime

# Characters of a baseline's name with its owner.
BASELINE = 200


class Baseline(Base):
    """A name for the benchmark that later ones are compared with. Its benchmark cannot be deleted."""

    __tablename__ = "baselines"

    # Of an owner other than `default`: `owner/name`.
    name: Mapped[str] = mapped_column(String(BASELINE), primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER, server_default=DEFAULT_OWNER)
    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="RESTRICT"), index=True)
    # When the name was last given to a benchmark.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Charts(Base):
    """The charts of an ended benchmark. They are made from its results at the first request, and kept."""

    __tablename__ = "charts"

    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True)
    # Version of the document. Charts of another version are made again.
    version: Mapped[int] = mapped_column(Integer)
    # Compressed JSON.
    document: Mapped[bytes] = mapped_column(LargeBinary)
