"""Repeats: which benchmark this one repeats, and the keys of POSTs that were already answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, UtcDateTime

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.add_column(sa.Column("rerun_of", BigKey, nullable=True))
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.drop_column("rerun_of")
