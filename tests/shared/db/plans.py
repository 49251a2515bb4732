"""The statements that a test makes, and which of them read a whole table, by the database's own plans."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from shared.db.connection.database import Database

# Tables that grow. Others, such as `workers`, may be read as a whole.
GROWING = (
    "benchmarks",
    "benchmark_metadata",
    "results",
    "prompts",
    "segments",
    "idempotency_keys",
    "webhook_endpoints",
    "webhook_events",
    "webhook_deliveries",
    "webhook_attempts",
)
# Indexes of a few rows, however large the table: of open benchmarks, and of deliveries that wait in order of time, of
# which a statement takes the first that nobody sends.
SMALL_INDEXES = ("ix_benchmarks_open", "ix_webhook_deliveries_waiting")
_EXPLAINABLE = re.compile(r"^(SELECT|INSERT|UPDATE|DELETE|WITH)", re.IGNORECASE)


@dataclass
class Statements:
    """Each different statement that ran, with the values of its first run."""

    seen: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def kept(self, database: Database) -> Iterator[None]:
        engine = database.engine.sync_engine

        def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
            if _EXPLAINABLE.match(statement):
                self.seen.setdefault(statement, parameters[0] if many and isinstance(parameters, list) else parameters)

        event.listen(engine, "before_cursor_execute", keep)
        yield
        event.remove(engine, "before_cursor_execute", keep)


def scans_of_sqlite(rows: Sequence[Any], statement: str) -> list[str]:
    """Steps that read all of a growing table or index. The list without a filter begins at the newest and stops."""
    unfiltered = "WHERE" not in statement.replace("WHERE benchmarks.id IN (SELECT", "", 1)
    return [
        row[3]
        for row in rows
        if (found := re.match(r"SCAN (\w+)", row[3])) and found.group(1) in GROWING and not unfiltered
        if not row[3].endswith(SMALL_INDEXES)
    ]


def scans_of_postgresql(node: dict[str, Any]) -> Iterator[str]:
    """Steps that read all of a growing table, or all of an index for the sake of a condition."""
    table, kind = node.get("Relation Name"), node["Node Type"]
    by_key = any(name in node for name in ("Index Cond", "Recheck Cond", "TID Cond"))
    if node.get("Index Name") in SMALL_INDEXES:
        pass
    elif table in GROWING and (kind == "Seq Scan" or (kind.startswith("Index") and not by_key and "Filter" in node)):
        yield f"{kind} of {table}, {node.get('Index Name')}: {node.get('Filter')}"
    for child in node.get("Plans", ()):
        yield from scans_of_postgresql(child)


async def scans(database: Database, statements: Statements) -> dict[str, list[str]]:
    """The scans in the plans, by statement."""
    found = {}
    async with database.engine.connect() as connection:
        if not database.is_sqlite:
            # A table of a few pages is read as a whole whatever its indexes.
            await connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, values in statements.seen.items():
            explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (FORMAT JSON) "
            rows = (await connection.exec_driver_sql(explain + statement, values)).all()
            if database.is_sqlite:
                steps = scans_of_sqlite(rows, statement)
            else:
                steps = list(scans_of_postgresql(rows[0][0][0]["Plan"]))
            if steps:
                found[statement] = steps
    return found
