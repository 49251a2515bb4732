"""Of which benchmark an event speaks that is not its own: `budget.reached`, which has its name.

Of those that there are, the name is replaced if its benchmark is gone or has lost its texts. PostgreSQL creates the
index without blocking writers. A migration that was interrupted can run again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE, COLUMN, INDEX = "webhook_events", "about_benchmark_id", "ix_webhook_events_about_benchmark_id"


def upgrade() -> None:
    if COLUMN not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns(TABLE)}:
        op.add_column(TABLE, sa.Column(COLUMN, BigKey, nullable=True))
    _fill()
    where = sa.text(f"{COLUMN} IS NOT NULL")
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(INDEX, TABLE, [COLUMN], sqlite_where=where, if_not_exists=True)
        return
    with op.get_context().autocommit_block():
        # A build that was interrupted leaves an index that is kept up to date and never used.
        invalid = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
        if op.get_bind().scalar(invalid.bindparams(name=INDEX)):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.create_index(
            INDEX, TABLE, [COLUMN], postgresql_where=where, postgresql_concurrently=True, if_not_exists=True
        )


def downgrade() -> None:
    op.drop_index(INDEX, TABLE, if_exists=True)
    with op.batch_alter_table(TABLE) as batch:
        batch.drop_column(COLUMN)


def _fill() -> None:
    bind = op.get_bind()
    events = sa.table(
        TABLE, sa.column("id"), sa.column("type"), sa.column("data", JsonDocument), sa.column(COLUMN, BigKey)
    )
    benchmarks = sa.table("benchmarks", sa.column("id", BigKey), sa.column("texts_deleted_at", UtcDateTime))
    # One for each budget that was ever reached, and a day or month.
    told = bind.execute(sa.select(events.c.id, events.c.data).where(events.c.type == "budget.reached")).all()
    for event_id, data in told:
        number = data["benchmark"]["id"]
        has_texts = sa.select(benchmarks.c.id).where(benchmarks.c.id == number, benchmarks.c.texts_deleted_at.is_(None))
        if bind.scalar(has_texts) is None:
            data = {**data, "benchmark": {**data["benchmark"], "name": f"benchmark {number}"}}
        bind.execute(sa.update(events).where(events.c.id == event_id).values({COLUMN: number, "data": data}))
