"""Segments: which worker ran which part of a benchmark, and which requests it may have sent without a stored answer."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.add_column(sa.Column("dispatched", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "segments",
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("fence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.Column("done_before", sa.Integer(), nullable=False),
        sa.Column("results", sa.Integer(), nullable=True),
        sa.Column("unanswered", JsonDocument, nullable=True),
        sa.Column("measurement", JsonDocument, nullable=True),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["benchmarks.id"],
            name=op.f("fk_segments_benchmark_id_benchmarks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("benchmark_id", "fence", name=op.f("pk_segments")),
    )


def downgrade() -> None:
    op.drop_table("segments")
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.drop_column("dispatched")
