"""What an answer says about itself, when each request ended, and the endpoint as it was used."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import JsonDocument, Usd, UtcDateTime

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("results") as results:
        results.add_column(sa.Column("ended_at", UtcDateTime(), nullable=True))
        results.add_column(sa.Column("total_input_tokens", sa.BigInteger(), nullable=True))
        results.add_column(sa.Column("cache_write_1h_tokens", sa.BigInteger(), nullable=True))
        results.add_column(sa.Column("provider_cost_usd", Usd(), nullable=True))
        results.add_column(sa.Column("served_model", sa.Text(), nullable=True))
        results.add_column(sa.Column("service_tier", sa.Text(), nullable=True))
        results.add_column(sa.Column("system_fingerprint", sa.Text(), nullable=True))
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.add_column(sa.Column("target", JsonDocument, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.drop_column("target")
    with op.batch_alter_table("results") as results:
        for name in (
            "system_fingerprint",
            "service_tier",
            "served_model",
            "provider_cost_usd",
            "cache_write_1h_tokens",
            "total_input_tokens",
            "ended_at",
        ):
            results.drop_column(name)
