"""What the results of a segment add up to, and the numbers so far of a running benchmark."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import JsonDocument

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("segments") as segments:
        segments.add_column(sa.Column("aggregate", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.add_column(sa.Column("live", JsonDocument, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.drop_column("live")
    with op.batch_alter_table("segments") as segments:
        segments.drop_column("aggregate")
