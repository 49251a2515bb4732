"""The table of workers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.tables.base import Base
from shared.db.tables.types import JsonDocument, UtcDateTime


class Worker(Base):
    """A worker process that reported here; `heartbeat_at` says whether it lives."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    hostname: Mapped[str] = mapped_column(Text)
    pid: Mapped[int] = mapped_column(Integer)
    version: Mapped[str] = mapped_column(String(32))
    # Endpoints whose key this worker holds. The API refuses a benchmark that no worker could run.
    providers: Mapped[list[str]] = mapped_column(JsonDocument)
    # All its endpoints (`HeldEndpoint.document`). None: an older version, which claims any benchmark.
    endpoints: Mapped[list[dict[str, Any]] | None] = mapped_column(JsonDocument)
    running: Mapped[int] = mapped_column(Integer, server_default="0")
    # Up to which load its host measures correctly; None if it did not calibrate.
    calibration: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
