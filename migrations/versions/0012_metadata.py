"""What benchmarks can be found by of their metadata: one row for each `key:value`.

A migration that was interrupted can run again.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, JsonDocument

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "benchmark_metadata"
MAX_PAIR_CHARS = 500
PAGE = 500


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("pair", sa.String(MAX_PAIR_CHARS), nullable=False),
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["benchmarks.id"],
            name=op.f("fk_benchmark_metadata_benchmark_id_benchmarks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pair", "benchmark_id", name=op.f("pk_benchmark_metadata")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_benchmark_metadata_benchmark_id"), TABLE, ["benchmark_id"], if_not_exists=True)
    _fill()


def downgrade() -> None:
    op.drop_table(TABLE)


def _fill() -> None:
    """Adds the rows of the benchmarks that there are."""
    benchmarks = sa.table("benchmarks", sa.column("id", BigKey), sa.column("spec", JsonDocument))
    pairs = sa.table(TABLE, sa.column("pair"), sa.column("benchmark_id"))
    connection = op.get_bind()
    connection.execute(sa.delete(pairs))
    after = 0
    while True:
        query = sa.select(benchmarks.c.id, benchmarks.c.spec["metadata"]).where(benchmarks.c.id > after)
        rows = connection.execute(query.order_by(benchmarks.c.id).limit(PAGE)).all()
        if not rows:
            return
        found = [{"pair": pair, "benchmark_id": row[0]} for row in rows for pair in _pairs(row[1])]
        if found:
            connection.execute(sa.insert(pairs), found)
        after = rows[-1][0]


def _pairs(metadata: Any) -> list[str]:
    if not isinstance(metadata, dict):
        return []
    scalars = {key: value for key, value in metadata.items() if not isinstance(value, dict | list)}
    pairs = [f"{key}:{value if isinstance(value, str) else json.dumps(value)}" for key, value in scalars.items()]
    return [pair for pair in dict.fromkeys(pairs) if len(pair) <= MAX_PAIR_CHARS]
