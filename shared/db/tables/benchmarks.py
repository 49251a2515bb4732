"""The tables of benchmarks. `migrations/` creates them; `alembic check` compares on both databases."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.access.owner import DEFAULT_OWNER
from shared.benchmark.metadata import MAX_PAIR_CHARS
from shared.benchmark.results.outcome import OUTCOMES
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.status import OPEN, STATUSES, SegmentEnding, Status
from shared.db.tables.access import KEY_ID, OWNER
from shared.db.tables.base import Base, index, one_of
from shared.db.tables.types import BigKey, JsonDocument, Usd, UtcDateTime


class Benchmark(Base):
    """One benchmark: its spec, its life, its lease and its summary."""

    __tablename__ = "benchmarks"
    __table_args__ = (
        CheckConstraint(one_of("status", STATUSES), name="status"),
        # Workers look for the few open rows among many ended ones.
        index("ix_benchmarks_open", "id", where=one_of("status", OPEN)),
        # The filters of lists.
        index("ix_benchmarks_created_at_id", "created_at", "id"),
        index("ix_benchmarks_model_id", "model", "id"),
        index("ix_benchmarks_provider_id", "provider", "id"),
        index("ix_benchmarks_status_id", "status", "id"),
        index("ix_benchmarks_rerun_of_id", "rerun_of", "id", where="rerun_of IS NOT NULL"),
        # The list of an owner.
        index("ix_benchmarks_owner_id", "owner", "id"),
        # The benchmarks that wait for an owner's turn.
        index("ix_benchmarks_owner_open", "owner", "id", where=one_of("status", OPEN)),
        # A search in names reads this instead of the rows.
        index("ix_benchmarks_id_name", "id", "name"),
        # The history of a prompt set.
        index("ix_benchmarks_prompt_set_id", "prompt_set", "id", where="prompt_set IS NOT NULL"),
        # The same export is imported once.
        index("uq_benchmarks_import_key", "import_key", where="import_key IS NOT NULL", unique=True),
        # Retention looks for what ended long ago.
        index("ix_benchmarks_completed_at_id", "completed_at", "id", where="completed_at IS NOT NULL"),
        index(
            "ix_benchmarks_with_texts",
            "completed_at",
            "id",
            where="completed_at IS NOT NULL AND texts_deleted_at IS NULL",
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(OWNER, server_default=DEFAULT_OWNER)
    # The key that submitted it. None: open access.
    key_id: Mapped[str | None] = mapped_column(KEY_ID)
    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    provider: Mapped[str] = mapped_column(Text)
    status: Mapped[Status] = mapped_column(String(16))
    # The spec without its prompts, which are in `prompts`. Read it through `spec`.
    spec_document: Mapped[dict[str, Any]] = mapped_column("spec", JsonDocument)
    notices: Mapped[list[str]] = mapped_column(JsonDocument)
    # Who its endpoint is (`EndpointIdentity.document`), and what workers compare. None: an older version submitted it.
    endpoint: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    endpoint_key: Mapped[str | None] = mapped_column(String(100))
    # The fingerprint of its endpoint, on which benchmarks share `max_streams`. None: an older version submitted it.
    endpoint_lane: Mapped[str | None] = mapped_column(String(64))
    # The most requests that it has in flight. None: an older version submitted it, or it shares its endpoint.
    streams: Mapped[int | None] = mapped_column(Integer)
    # Nothing else may run on its worker or on its endpoint meanwhile.
    exclusive: Mapped[bool] = mapped_column(Boolean, server_default=false())
    # Since when no living worker can run it, and why (`kind`, `message`). None: one can, or has claimed it.
    unclaimable_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unclaimable: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    # The endpoint as the first worker used it, with secrets masked. None before the run has begun.
    target: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    # The benchmark that this one repeats. No foreign key: the number stays when the other one is deleted.
    rerun_of: Mapped[int | None] = mapped_column(BigKey)
    # Hash of all that decides which texts its requests have (`shared.benchmark.prompt_set`). None: an older version
    # submitted it.
    prompt_set: Mapped[str | None] = mapped_column(String(64))
    # Hash of the export that it was imported from. None: it was submitted here.
    import_key: Mapped[str | None] = mapped_column(String(64))
    # The trace of the POST, by W3C's Trace Context; the worker's spans continue it.
    traceparent: Mapped[str | None] = mapped_column(String(55))
    # Requests that will be sent, warm-up included. 0: not known beforehand.
    planned: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, server_default="0")
    errors: Mapped[int] = mapped_column(Integer, server_default="0")
    last_ttft_ms: Mapped[float | None] = mapped_column(Float(53))
    cost_usd: Mapped[Decimal | None] = mapped_column(Usd)
    price: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    # What it may spend, in micro-dollars. None: it has no budget of its own.
    budget: Mapped[int | None] = mapped_column(BigInteger)
    # Why it stopped sending before its load was sent, and completed: `budget`. None: it did not.
    stopped: Mapped[str | None] = mapped_column(String(16))
    # Percentiles so far of the running segment, written about once a second.
    live: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    error: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    interrupted: Mapped[bool] = mapped_column(Boolean, server_default=false())
    crashes: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    # The worker that last held the lease may have sent requests of places below this.
    dispatched: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When retention deleted its texts. None: it has them.
    texts_deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def spec(self) -> RunSpec:
        """The stored spec as an object, made anew at each access."""
        return RunSpec.of_stored(self.spec_document)


class Segment(Base):
    """The part of a benchmark that one worker ran under one lease."""

    __tablename__ = "segments"

    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    worker_id: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # For a crashed segment: when another worker noticed the crash.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[SegmentEnding | None] = mapped_column(String(16))
    done_before: Mapped[int] = mapped_column(Integer)
    results: Mapped[int | None] = mapped_column(Integer)
    # [prompt_index, repetition] of requests that it may have sent and whose answer was not stored.
    unanswered: Mapped[list[list[int]] | None] = mapped_column(JsonDocument)
    measurement: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    # What its results add up to. None while it runs, and for ever if its worker died.
    aggregate: Mapped[bytes | None] = mapped_column(LargeBinary)


class StageRow(Base):
    """A stage of a benchmark that has a `load` of its own: what tells it from others, and what it has shown."""

    __tablename__ = "stages"

    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    label: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    # When its measured part, or its warm-up, began.
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # `requests`, `workload`, `duration`, `cancelled` or the word of its stop rule.
    ended_by: Mapped[str | None] = mapped_column(String(32))
    # What its measured requests add up to: for the plan, and for people. None while it runs.
    aggregate: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)


class IdempotencyKey(Base):
    """The caller's key of a POST that was answered. The same POST with this key gets the same benchmark."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    # SHA-256 of the request.
    fingerprint: Mapped[str] = mapped_column(String(64))
    # No foreign key: the key stays known when the benchmark is deleted.
    benchmark_id: Mapped[int] = mapped_column(BigKey)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Prompt(Base):
    """A prompt of a benchmark. Its text is stored once, however often it is sent."""

    __tablename__ = "prompts"

    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True)
    prompt_index: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[dict[str, Any]] = mapped_column(JsonDocument)


class BenchmarkMetadata(Base):
    """A `key:value` of a benchmark's metadata, for the filter of lists. The metadata itself is in the spec."""

    __tablename__ = "benchmark_metadata"

    pair: Mapped[str] = mapped_column(String(MAX_PAIR_CHARS), primary_key=True)
    benchmark_id: Mapped[int] = mapped_column(
        ForeignKey("benchmarks.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Result(Base):
    """The result of one request. Milliseconds are exact to the microsecond; docs/metrics.md defines each number."""

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint("benchmark_id", "prompt_index", "repetition"),
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        index("ix_results_benchmark_id_id", "benchmark_id", "id"),
        index("ix_results_in_order", "benchmark_id", "repetition", "prompt_index"),
        index("ix_results_failures", "benchmark_id", "outcome", "id", where="outcome <> 'succeeded'"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmarks.id", ondelete="CASCADE"))
    prompt_index: Mapped[int] = mapped_column(Integer)
    # 0, 1, 2 … for measured requests; -1, -2 … for warm-up.
    repetition: Mapped[int] = mapped_column(Integer)
    warmup: Mapped[bool] = mapped_column(Boolean)
    # None: the run has no stages, or a version before stored it. Likewise the turn of a conversation.
    stage: Mapped[int | None] = mapped_column(Integer)
    turn: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(16))
    scheduled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # None in results of versions that did not store it.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    queue_ms: Mapped[float] = mapped_column(Float(53))
    connect_ms: Mapped[float | None] = mapped_column(Float(53))
    tls_ms: Mapped[float | None] = mapped_column(Float(53))
    connection_reused: Mapped[bool] = mapped_column(Boolean)
    ttfb_ms: Mapped[float | None] = mapped_column(Float(53))
    ttft_ms: Mapped[float | None] = mapped_column(Float(53))
    ttfat_ms: Mapped[float | None] = mapped_column(Float(53))
    latency_ms: Mapped[float | None] = mapped_column(Float(53))
    stream_close_ms: Mapped[float | None] = mapped_column(Float(53))
    tokens_per_second: Mapped[float | None] = mapped_column(Float(53))
    tpot_ms: Mapped[float | None] = mapped_column(Float(53))
    max_stall_ms: Mapped[float | None] = mapped_column(Float(53))
    input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    total_input_tokens: Mapped[int | None] = mapped_column(BigInteger)
    output_tokens: Mapped[int | None] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int | None] = mapped_column(BigInteger)
    cache_write_1h_tokens: Mapped[int | None] = mapped_column(BigInteger)
    token_source: Mapped[str | None] = mapped_column(String(16))
    cost_usd: Mapped[Decimal | None] = mapped_column(Usd)
    provider_cost_usd: Mapped[Decimal | None] = mapped_column(Usd)
    served_model: Mapped[str | None] = mapped_column(Text)
    service_tier: Mapped[str | None] = mapped_column(Text)
    system_fingerprint: Mapped[str | None] = mapped_column(Text)
    finish_reason: Mapped[str | None] = mapped_column(Text)
    error: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    flags: Mapped[list[str]] = mapped_column(JsonDocument)
    response: Mapped[str | None] = mapped_column(Text)
    reasoning: Mapped[str | None] = mapped_column(Text)
    provider_request_id: Mapped[str | None] = mapped_column(Text)
    timeline: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


# The conditions of partial indexes. Their values stand in the statement itself: with parameters, SQLite could not tell
# that an index is of use.


def is_open() -> ColumnElement[bool]:
    """The benchmark has not ended."""
    return Benchmark.status.in_([literal_column(repr(status)) for status in OPEN])


def did_not_succeed() -> ColumnElement[bool]:
    """The result has an outcome other than success."""
    return Result.outcome != literal_column("'succeeded'")
