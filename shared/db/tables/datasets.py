"""The tables of datasets: one row for each file that was uploaded, and its rows in compressed blocks."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.access.owner import DEFAULT_OWNER
from shared.db.tables.access import OWNER
from shared.db.tables.base import Base
from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime


class Dataset(Base):
    """An uploaded file. It never changes."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("identity"),
        Index("ix_datasets_sha256_id", "sha256", "id"),
        Index("ix_datasets_owner_id", "owner", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(OWNER, server_default=DEFAULT_OWNER)
    name: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(16))
    # How the file was read: the options of its format.
    options: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    # Of the file's bytes.
    sha256: Mapped[str] = mapped_column(String(64))
    # SHA-256 of the file's hash with format and options, and with the owner if it is not `default`: equal for two
    # uploads of one owner that give the same rows.
    identity: Mapped[str] = mapped_column(String(64))
    # Bytes of the file.
    size: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(Integer)
    turns: Mapped[int] = mapped_column(Integer)
    # Rows that were left out, and distributions of lengths.
    facts: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DatasetBlock(Base):
    """Some rows of a dataset in sequence (`shared.workloads.row_blocks`)."""

    __tablename__ = "dataset_blocks"

    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    # The number of its first row, from 0.
    first: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rows: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes] = mapped_column(LargeBinary)
