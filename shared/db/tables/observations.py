"""The table of what servers under test said about themselves during runs."""

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.tables.base import Base


class ObservationBlock(Base):
    """Some seconds of a benchmark's observations (`shared.observing.blocks`). Times are µs since the epoch."""

    __tablename__ = "observations"

    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True)
    # Times of its first and of its last sample, by the worker's clock.
    begin_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    end_us: Mapped[int] = mapped_column(BigInteger)
    samples: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes] = mapped_column(LargeBinary)
