"""Load tests: stages, the stage and turn of each result, new outcomes, datasets, and what observed servers said.

A migration that was interrupted can run again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = ("stage", "turn")
CHECK = "ck_results_outcome"
BEFORE = "outcome IN ('succeeded', 'errored', 'timed_out', 'cancelled', 'truncated')"
AFTER = "outcome IN ('succeeded', 'errored', 'timed_out', 'cancelled', 'truncated', 'incomplete', 'dropped')"


def upgrade() -> None:
    _create_stages()
    _create_datasets()
    _create_observations()
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("results")}
    for name in COLUMNS:
        if name not in there:
            op.add_column("results", sa.Column(name, sa.Integer(), nullable=True))
    _allow(BEFORE, AFTER)


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM results WHERE outcome IN ('incomplete', 'dropped')"))
    _allow(AFTER, BEFORE)
    for name in COLUMNS:
        op.drop_column("results", name)
    for table in ("observations", "dataset_blocks", "datasets", "stages"):
        op.drop_table(table)


def _create_stages() -> None:
    op.create_table(
        "stages",
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", JsonDocument, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("ended_by", sa.String(32), nullable=True),
        sa.Column("aggregate", sa.LargeBinary(), nullable=True),
        sa.Column("summary", JsonDocument, nullable=True),
        _of_a_benchmark("stages"),
        sa.PrimaryKeyConstraint("benchmark_id", "number", name=op.f("pk_stages")),
        if_not_exists=True,
    )


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("options", JsonDocument, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("facts", JsonDocument, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("identity", name=op.f("uq_datasets_identity")),
        sqlite_autoincrement=True,
        if_not_exists=True,
    )
    op.create_index("ix_datasets_sha256_id", "datasets", ["sha256", "id"], if_not_exists=True)
    op.create_table(
        "dataset_blocks",
        sa.Column("dataset_id", BigKey, nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_blocks_dataset_id_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", "first", name=op.f("pk_dataset_blocks")),
        if_not_exists=True,
    )


def _create_observations() -> None:
    op.create_table(
        "observations",
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("begin_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _of_a_benchmark("observations"),
        sa.PrimaryKeyConstraint("benchmark_id", "begin_us", name=op.f("pk_observations")),
        if_not_exists=True,
    )


def _of_a_benchmark(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_benchmark_id_benchmarks")
    return sa.ForeignKeyConstraint(["benchmark_id"], ["benchmarks.id"], name=name, ondelete="CASCADE")


def _allow(before: str, after: str) -> None:
    """Changes which outcomes the database accepts."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.execute(sa.text(f"ALTER TABLE results DROP CONSTRAINT IF EXISTS {CHECK}"))
        op.execute(sa.text(f"ALTER TABLE results ADD CONSTRAINT {CHECK} CHECK ({after}) NOT VALID"))
        # Reading all results takes a while. In a transaction of its own, others may read and write meanwhile.
        with op.get_context().autocommit_block():
            op.execute(sa.text(f"ALTER TABLE results VALIDATE CONSTRAINT {CHECK}"))
        return
    # SQLite copies the whole table to change a constraint. Its manual gives this way for changes that leave the stored
    # rows as they are: https://www.sqlite.org/lang_altertable.html, "a simpler and faster procedure".
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    connection.execute(
        sa.text(
            "UPDATE sqlite_schema SET sql = replace(sql, :before, :after) WHERE type = 'table' AND name = 'results'"
        ),
        {"before": before, "after": after},
    )
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
