"""Indexes that keep statements as fast at 100,000 benchmarks as at 100, and when the texts of a benchmark were deleted.

PostgreSQL creates the indexes without blocking writers. A migration that was interrupted can run again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import UtcDateTime

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each has a name, a table, columns and a condition.
INDEXES: tuple[tuple[str, str, list[str], str | None], ...] = (
    ("ix_benchmarks_status_id", "benchmarks", ["status", "id"], None),
    ("ix_benchmarks_provider_id", "benchmarks", ["provider", "id"], None),
    ("ix_benchmarks_rerun_of_id", "benchmarks", ["rerun_of", "id"], "rerun_of IS NOT NULL"),
    ("ix_benchmarks_id_name", "benchmarks", ["id", "name"], None),
    ("ix_benchmarks_completed_at_id", "benchmarks", ["completed_at", "id"], "completed_at IS NOT NULL"),
    (
        "ix_benchmarks_with_texts",
        "benchmarks",
        ["completed_at", "id"],
        "completed_at IS NOT NULL AND texts_deleted_at IS NULL",
    ),
    ("ix_results_benchmark_id_id", "results", ["benchmark_id", "id"], None),
    ("ix_results_in_order", "results", ["benchmark_id", "repetition", "prompt_index"], None),
    ("ix_results_failures", "results", ["benchmark_id", "outcome", "id"], "outcome <> 'succeeded'"),
    (
        "ix_webhook_deliveries_waiting",
        "webhook_deliveries",
        ["next_attempt_at", "id"],
        "status = 'pending' AND lane <> ''",
    ),
    ("ix_webhook_deliveries_lane", "webhook_deliveries", ["lane", "next_attempt_at", "id"], "status = 'pending'"),
    ("ix_webhook_deliveries_leased", "webhook_deliveries", ["lease_expires_at"], "lease_expires_at IS NOT NULL"),
    ("ix_webhook_deliveries_pending_of", "webhook_deliveries", ["endpoint_id"], "status = 'pending'"),
)
OLD_INDEX = "ix_webhook_deliveries_due"


def upgrade() -> None:
    _add_column("benchmarks", sa.Column("texts_deleted_at", UtcDateTime(), nullable=True))
    _add_column("webhook_deliveries", sa.Column("lane", sa.String(200), nullable=True))
    op.execute(
        "UPDATE webhook_deliveries SET lane = (SELECT substr(url, 1, 200) FROM webhook_endpoints "
        "WHERE webhook_endpoints.id = webhook_deliveries.endpoint_id) WHERE status = 'pending' AND lane IS NULL"
    )
    for index in INDEXES:
        _create_index(*index)
    op.drop_index(OLD_INDEX, "webhook_deliveries", if_exists=True)


def downgrade() -> None:
    _create_index(OLD_INDEX, "webhook_deliveries", ["next_attempt_at"], "status = 'pending'")
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table, if_exists=True)
    with op.batch_alter_table("webhook_deliveries") as deliveries:
        deliveries.drop_column("lane")
    with op.batch_alter_table("benchmarks") as benchmarks:
        benchmarks.drop_column("texts_deleted_at")


def _add_column(table: str, column: sa.Column[object]) -> None:
    """Adds a column, unless an interrupted migration has added it."""
    if column.name not in {item["name"] for item in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def _create_index(name: str, table: str, columns: list[str], condition: str | None) -> None:
    where = None if condition is None else sa.text(condition)
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(name, table, columns, sqlite_where=where, if_not_exists=True)
        return
    with op.get_context().autocommit_block():
        # A build that was interrupted leaves an index that is kept up to date and never used.
        invalid = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
        if op.get_bind().scalar(invalid.bindparams(name=name)):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.create_index(name, table, columns, postgresql_where=where, postgresql_concurrently=True, if_not_exists=True)
