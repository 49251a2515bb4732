"""Who the endpoint of a benchmark is, since when no worker can run it, and the endpoints that workers have.

A migration that was interrupted can run again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.types import JsonDocument, UtcDateTime

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BENCHMARKS = ("endpoint", "endpoint_key", "unclaimable_since", "unclaimable")


def upgrade() -> None:
    _add("benchmarks", sa.Column("endpoint", JsonDocument, nullable=True))
    _add("benchmarks", sa.Column("endpoint_key", sa.String(100), nullable=True))
    _add("benchmarks", sa.Column("unclaimable_since", UtcDateTime(), nullable=True))
    _add("benchmarks", sa.Column("unclaimable", JsonDocument, nullable=True))
    _add("workers", sa.Column("endpoints", JsonDocument, nullable=True))


def downgrade() -> None:
    _drop("workers", "endpoints")
    for name in reversed(BENCHMARKS):
        _drop("benchmarks", name)


def _add(table: str, column: sa.Column[object]) -> None:
    if column.name not in _columns(table):
        op.add_column(table, column)


def _drop(table: str, name: str) -> None:
    if name in _columns(table):
        op.drop_column(table, name)


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
