"""Owners, keys, sessions, the audit log and money: who may do what, and what it may cost.

What was there before belongs to the owner `default`. PostgreSQL creates the indexes of large tables without blocking
writers. A migration that was interrupted can run again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OWNER = sa.String(63)
KEY_ID = sa.String(8)
CAP_KEY = sa.String(120)

# Indexes of tables that were there before: table, columns, and which rows they have.
INDEXES: dict[str, tuple[str, list[str], str | None]] = {
    "ix_benchmarks_owner_id": ("benchmarks", ["owner", "id"], None),
    "ix_benchmarks_owner_open": ("benchmarks", ["owner", "id"], "status IN ('pending', 'running')"),
    "ix_datasets_owner_id": ("datasets", ["owner", "id"], None),
}
TABLES = ("spend", "reservations", "caps", "budgets", "audit_log", "sessions", "api_keys", "owners")


def columns() -> dict[str, list[sa.Column[object]]]:
    """New columns of tables that were there before. Each is made anew, because a column belongs to one table."""

    def owner() -> sa.Column[object]:
        return sa.Column("owner", OWNER, nullable=False, server_default="default")

    return {
        "benchmarks": [
            owner(),
            sa.Column("key_id", KEY_ID, nullable=True),
            sa.Column("endpoint_lane", sa.String(64), nullable=True),
            sa.Column("streams", sa.Integer(), nullable=True),
            sa.Column("exclusive", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("budget", sa.BigInteger(), nullable=True),
            sa.Column("stopped", sa.String(16), nullable=True),
        ],
        "webhook_endpoints": [owner(), sa.Column("owner_events", JsonDocument, nullable=True)],
        "datasets": [owner()],
        "baselines": [owner()],
    }


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    for table, added in columns().items():
        there = {column["name"] for column in inspector.get_columns(table)}
        for column in added:
            if column.name not in there:
                op.add_column(table, column)
    # Long enough for `owner/name`.
    _resize_baselines(200)
    _create_tables()
    owners = sa.table("owners", sa.column("name"), sa.column("turn"), sa.column("created_at", UtcDateTime))
    if op.get_bind().scalar(sa.select(owners.c.name).where(owners.c.name == "default")) is None:
        op.execute(sa.insert(owners).values(name="default", turn=0, created_at=_now()))
    for name, (table, indexed, where) in INDEXES.items():
        _create_index(name, table, indexed, where)


def downgrade() -> None:
    for name, (table, _, _) in INDEXES.items():
        op.drop_index(name, table, if_exists=True)
    for table in TABLES:
        op.drop_table(table, if_exists=True)
    for table, added in columns().items():
        with op.batch_alter_table(table) as batch:
            for column in added:
                batch.drop_column(str(column.name))
    op.execute("DELETE FROM baselines WHERE length(name) > 100")
    _resize_baselines(100)


def _resize_baselines(length: int) -> None:
    before = next(column for column in sa.inspect(op.get_bind()).get_columns("baselines") if column["name"] == "name")
    with op.batch_alter_table("baselines") as baselines:
        baselines.alter_column("name", type_=sa.String(length), existing_type=before["type"], existing_nullable=False)


def _create_tables() -> None:
    op.create_table(
        "owners",
        sa.Column("name", OWNER, nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_owners")),
        if_not_exists=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", KEY_ID, nullable=False),
        sa.Column("owner", OWNER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("hashed_with", sa.String(16), nullable=False),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        sa.Column("concurrent_requests", sa.Integer(), nullable=True),
        sa.Column("created_by", KEY_ID, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("scope IN ('read', 'run', 'admin')", name=op.f("ck_api_keys_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        if_not_exists=True,
    )
    op.create_index("ix_api_keys_owner_id", "api_keys", ["owner", "id"], if_not_exists=True)
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_id", KEY_ID, nullable=False),
        sa.Column("looks_at", OWNER, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
        if_not_exists=True,
    )
    op.create_index("ix_sessions_key_id", "sessions", ["key_id"], if_not_exists=True)
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], if_not_exists=True)
    op.create_table(
        "audit_log",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("owner", OWNER, nullable=False),
        sa.Column("key_id", KEY_ID, nullable=True),
        sa.Column("via", sa.String(8), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("target_kind", sa.String(20), nullable=False),
        sa.Column("target_id", sa.String(120), nullable=False),
        sa.Column("details", JsonDocument, nullable=False),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        if_not_exists=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_owner_id", "audit_log", ["owner", "id"], if_not_exists=True)
    op.create_index("ix_audit_log_target", "audit_log", ["target_kind", "target_id", "id"], if_not_exists=True)
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"], if_not_exists=True)
    _create_money()


def _create_money() -> None:
    op.create_table(
        "budgets",
        sa.Column("key", CAP_KEY, nullable=False),
        sa.Column("owner", OWNER, nullable=False),
        sa.Column("key_id", KEY_ID, nullable=True),
        sa.Column("period", sa.String(8), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_budgets")),
        if_not_exists=True,
    )
    op.create_index("ix_budgets_owner", "budgets", ["owner"], if_not_exists=True)
    op.create_table(
        "caps",
        sa.Column("key", CAP_KEY, nullable=False),
        sa.Column("owner", OWNER, nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reached_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("spent >= 0 AND reserved >= 0", name=op.f("ck_caps_amounts")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_caps")),
        if_not_exists=True,
    )
    op.create_index("ix_caps_owner", "caps", ["owner"], if_not_exists=True)
    op.create_table(
        "reservations",
        sa.Column("benchmark_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("fence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("caps", JsonDocument, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("benchmark_id", "fence", "day", name=op.f("pk_reservations")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_reservations_expires_at"), "reservations", ["expires_at"], if_not_exists=True)
    op.create_table(
        "spend",
        sa.Column("benchmark_id", BigKey, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("owner", OWNER, nullable=False),
        sa.Column("key_id", KEY_ID, nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("worst_case", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("benchmark_id", "day", name=op.f("pk_spend")),
        if_not_exists=True,
    )
    op.create_index("ix_spend_owner_day", "spend", ["owner", "day"], if_not_exists=True)
    op.create_index("ix_spend_key_id_day", "spend", ["key_id", "day"], if_not_exists=True)


def _now() -> sa.ColumnElement[object]:
    """The database's time, in the form that the column has."""
    if op.get_bind().dialect.name == "sqlite":
        return sa.literal_column("strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')")
    return sa.func.now()


def _create_index(name: str, table: str, indexed: list[str], condition: str | None) -> None:
    where = None if condition is None else sa.text(condition)
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(name, table, indexed, sqlite_where=where, if_not_exists=True)
        return
    with op.get_context().autocommit_block():
        # A build that was interrupted leaves an index that is kept up to date and never used.
        invalid = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
        if op.get_bind().scalar(invalid.bindparams(name=name)):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.create_index(name, table, indexed, postgresql_where=where, postgresql_concurrently=True, if_not_exists=True)
