"""Who the endpoint of a benchmark is, since when no worker can run it, and the endpoints that workers have."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import JsonDocument, UtcDateTime

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BENCHMARKS = ("endpoint", "endpoint_key", "unclaimable_since", "unclaimable")


def upgrade() -> None:
    op.add_column("benchmarks", sa.Column("endpoint", JsonDocument, nullable=True))
    op.add_column("benchmarks", sa.Column("endpoint_key", sa.String(100), nullable=True))
    op.add_column("benchmarks", sa.Column("unclaimable_since", UtcDateTime(), nullable=True))
    op.add_column("benchmarks", sa.Column("unclaimable", JsonDocument, nullable=True))
    op.add_column("workers", sa.Column("endpoints", JsonDocument, nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "endpoints")
    for name in reversed(BENCHMARKS):
        op.drop_column("benchmarks", name)
