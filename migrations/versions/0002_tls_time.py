"""The time of the TLS handshake of a result."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("results") as results:
        results.add_column(sa.Column("tls_ms", sa.Float(precision=53), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("results") as results:
        results.drop_column("tls_ms")
