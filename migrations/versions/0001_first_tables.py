"""The first tables: benchmarks, prompts, results, workers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, JsonDocument, Usd, UtcDateTime

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "benchmarks",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("spec", JsonDocument, nullable=False),
        sa.Column("notices", JsonDocument, nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("errors", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_ttft_ms", sa.Float(precision=53), nullable=True),
        sa.Column("cost_usd", Usd, nullable=True),
        sa.Column("price", JsonDocument, nullable=True),
        sa.Column("summary", JsonDocument, nullable=True),
        sa.Column("error", JsonDocument, nullable=True),
        sa.Column("cancel_requested_at", UtcDateTime, nullable=True),
        sa.Column("interrupted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_expires_at", UtcDateTime, nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=True),
        sa.Column("completed_at", UtcDateTime, nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name=op.f("ck_benchmarks_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benchmarks")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_benchmarks_created_at_id", "benchmarks", ["created_at", "id"], unique=False)
    op.create_index("ix_benchmarks_model_id", "benchmarks", ["model", "id"], unique=False)
    op.create_index(
        "ix_benchmarks_open",
        "benchmarks",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'running')"),
        sqlite_where=sa.text("status IN ('pending', 'running')"),
    )

    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("providers", JsonDocument, nullable=False),
        sa.Column("running", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("heartbeat_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index(op.f("ix_workers_heartbeat_at"), "workers", ["heartbeat_at"], unique=False)

    op.create_table(
        "prompts",
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("prompt_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", JsonDocument, nullable=False),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["benchmarks.id"], name=op.f("fk_prompts_benchmark_id_benchmarks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("benchmark_id", "prompt_index", name=op.f("pk_prompts")),
    )
    op.create_table(
        "results",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("prompt_index", sa.Integer(), nullable=False),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("warmup", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("scheduled_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime, nullable=False),
        sa.Column("queue_ms", sa.Float(precision=53), nullable=False),
        sa.Column("connect_ms", sa.Float(precision=53), nullable=True),
        sa.Column("connection_reused", sa.Boolean(), nullable=False),
        sa.Column("ttfb_ms", sa.Float(precision=53), nullable=True),
        sa.Column("ttft_ms", sa.Float(precision=53), nullable=True),
        sa.Column("ttfat_ms", sa.Float(precision=53), nullable=True),
        sa.Column("latency_ms", sa.Float(precision=53), nullable=True),
        sa.Column("stream_close_ms", sa.Float(precision=53), nullable=True),
        sa.Column("tokens_per_second", sa.Float(precision=53), nullable=True),
        sa.Column("tpot_ms", sa.Float(precision=53), nullable=True),
        sa.Column("max_stall_ms", sa.Float(precision=53), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=True),
        sa.Column("token_source", sa.String(length=16), nullable=True),
        sa.Column("cost_usd", Usd, nullable=True),
        sa.Column("finish_reason", sa.Text(), nullable=True),
        sa.Column("error", JsonDocument, nullable=True),
        sa.Column("flags", JsonDocument, nullable=False),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("reasoning", sa.Text(), nullable=True),
        sa.Column("provider_request_id", sa.Text(), nullable=True),
        sa.Column("timeline", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('succeeded', 'errored', 'timed_out', 'cancelled', 'truncated')",
            name=op.f("ck_results_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["benchmarks.id"], name=op.f("fk_results_benchmark_id_benchmarks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_results")),
        sa.UniqueConstraint(
            "benchmark_id", "prompt_index", "repetition", name=op.f("uq_results_benchmark_id_prompt_index_repetition")
        ),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    for table in ("results", "prompts", "workers", "benchmarks"):
        op.drop_table(table)
