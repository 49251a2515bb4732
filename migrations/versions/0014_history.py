"""What comparisons over time need: prompt sets of benchmarks, baselines, stored charts, and the origin of imports.

A migration that was interrupted can run again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, UtcDateTime

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Indexes of `benchmarks`, which may be large: their columns, and which rows they have.
INDEXES = {
    "ix_benchmarks_prompt_set_id": (["prompt_set", "id"], "prompt_set IS NOT NULL"),
    "uq_benchmarks_import_key": (["import_key"], "import_key IS NOT NULL"),
}


def upgrade() -> None:
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("benchmarks")}
    for name in ("prompt_set", "import_key"):
        if name not in there:
            op.add_column("benchmarks", sa.Column(name, sa.String(64), nullable=True))
    op.create_table(
        "baselines",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["benchmarks.id"], name=op.f("fk_baselines_benchmark_id_benchmarks"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_baselines")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_baselines_benchmark_id"), "baselines", ["benchmark_id"], if_not_exists=True)
    op.create_table(
        "charts",
        sa.Column("benchmark_id", BigKey, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["benchmark_id"], ["benchmarks.id"], name=op.f("fk_charts_benchmark_id_benchmarks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("benchmark_id", name=op.f("pk_charts")),
        if_not_exists=True,
    )
    for name, (columns, where) in INDEXES.items():
        op.create_index(
            name,
            "benchmarks",
            columns,
            unique=name.startswith("uq_"),
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
            if_not_exists=True,
        )


def downgrade() -> None:
    for name in reversed(INDEXES):
        op.drop_index(name, "benchmarks")
    op.drop_table("charts")
    op.drop_table("baselines")
    for name in ("import_key", "prompt_set"):
        op.drop_column("benchmarks", name)
