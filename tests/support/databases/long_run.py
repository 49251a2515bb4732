"""An ended benchmark with many results, inserted by SQL. For tests and measurements of exports."""

import random
from decimal import Decimal

import orjson
from sqlalchemy import insert, text

from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Result
from tests.shared.db.rows import AT, make_record, make_spec

_TABLE = Result.metadata.tables[Result.__tablename__]
# Rows that are made in Python, each with other numbers. The others are copies of them.
MADE = 2_000


async def add_long_run(database: Database, results: int, answer: str = "Hello there, friend!") -> int:
    """Id of a new benchmark that has completed with this number of results."""
    spec = make_spec(repetitions=max(1, min(results // 2, 10_000)))
    document = orjson.dumps(spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)).decode()
    as_json = "" if database.is_sqlite else "::json"
    now = AT.isoformat().replace("+00:00", "Z")
    async with database.engine.begin() as connection:
        row = await connection.execute(
            text(
                "INSERT INTO benchmarks (name, model, provider, status, spec, notices, planned, done, errors, crashes,"
                " fence, dispatched, interrupted, created_at, started_at, completed_at) VALUES ('long', 'sim',"
                f" 'simulator', 'completed', CAST(:spec AS {'TEXT' if database.is_sqlite else 'json'}), '[]'{as_json},"
                f" {results}, {results}, 0, 0, 1, 0, false, '{now}', '{now}', '{now}') RETURNING id"
            ),
            {"spec": document},
        )
        benchmark_id: int = row.scalar_one()
        made = min(MADE, results)
        await connection.execute(insert(_TABLE), [_row(benchmark_id, number, answer) for number in range(made)])
        copied = [column.name for column in _TABLE.c if column.name not in ("id", "repetition")]
        copies = -(-results // made) - 1
        if copies > 0:
            await connection.execute(
                text(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(:copies AS INTEGER))"
                    f" INSERT INTO results (repetition, {', '.join(copied)})"
                    f" SELECT repetition + {made} * n.i, {', '.join(copied)} FROM n CROSS JOIN results"
                    f" WHERE benchmark_id = {benchmark_id}"
                ),
                {"copies": copies},
            )
        await connection.execute(
            text(f"DELETE FROM results WHERE benchmark_id = {benchmark_id} AND repetition >= {results}")
        )
    return benchmark_id


def _row(benchmark_id: int, number: int, answer: str) -> dict[str, object]:
    some = random.Random(number)
    record = make_record(number % 2, number)
    times = {name: round(some.uniform(1, 900), 3) for name, value in record.metrics.items() if value is not None}
    return {
        "benchmark_id": benchmark_id,
        "prompt_index": number % 2,
        "repetition": number,
        "warmup": False,
        "outcome": "succeeded",
        "scheduled_at": AT,
        "sent_at": AT,
        "ended_at": AT,
        "connection_reused": True,
        **dict.fromkeys(record.metrics),
        **times,
        "input_tokens": 18,
        "total_input_tokens": 18,
        "output_tokens": some.randint(5, 500),
        "token_source": "usage",
        "cost_usd": Decimal(some.randint(1, 10**6)).scaleb(-9),
        "served_model": "sim",
        "finish_reason": "stop",
        "error": None,
        "flags": [],
        "response": answer,
        "provider_request_id": f"req_{some.getrandbits(64):x}",
        "timeline": b"\x01\x01\x01" * 20,
    }
