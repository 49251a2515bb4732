"""A database as large as after years: benchmarks with their results, events and deliveries, inserted by SQL."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import of_record
from shared.db.connection.database import Database
from tests.shared.db.rows import make_record, make_spec
from worker.run.summary import Plan, summarize

RESULTS_EACH = 10
PENDING, RUNNING = 20, 10
# Endpoints: one that takes every event, one that hangs and has a delivery of each benchmark waiting, and one that got
# its last event long ago.
FAST, SLOW, QUIET = 1, 2, 3
QUIET_GOT = 5
# Prompt sets are this and a number from 10 to 49.
PROMPT_SETS = "5" * 62
SLOW_URL = "http://127.0.0.1:9/slow"


@dataclass(frozen=True, slots=True)
class Filled:
    """`rare`: ids of one benchmark each that a filter has to find among all."""

    count: int

    @property
    def middle(self) -> int:
        """A benchmark that ended, with results."""
        return self.count // 2


async def fill(database: Database, count: int) -> Filled:
    """Inserts `count` benchmarks. The database is empty before; its statistics are up to date afterwards."""
    async with database.engine.begin() as connection:
        for statement in _statements(database.is_sqlite):
            await _run(connection, statement, count)
        if database.is_sqlite:
            await connection.exec_driver_sql("ANALYZE")
    if not database.is_sqlite:
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("VACUUM ANALYZE")
    return Filled(count)


async def _run(connection: AsyncConnection, statement: str, count: int) -> None:
    values: dict[str, Any] = {
        "count": count,
        "spec": orjson.dumps(make_spec().model_dump(mode="json", exclude={"prompts"}, exclude_none=True)).decode(),
        "summary": orjson.dumps(a_summary()).decode(),
        "prompt": '{"messages": [{"role": "user", "content": "Say hello"}], "parameters": {}}',
        "answer": "Hello there, friend! " * 10,
        "timeline": b"\x01\x01\x01" * 30,
    }
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    await connection.execute(text(statement), used)


def a_summary() -> dict[str, Any]:
    """As a worker writes it."""
    results = RunAggregate(4)
    for number in range(40):
        results.add(of_record(make_record(number, ttft_ms=100.0 + number)))
    return summarize(results, Plan(40, 4, None, interrupted=False, sent_in_vain=0))


def _statements(sqlite: bool) -> list[str]:
    def ago(seconds: str) -> str:
        if sqlite:
            return f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-' || ({seconds}) || ' seconds')"
        return f"clock_timestamp() - make_interval(secs => {seconds})"

    def later(seconds: int) -> str:
        return ago(str(seconds)).replace("'-' ||", "'+' ||").replace("() - ", "() + ")

    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(:count AS INTEGER))"
    ended = f"i <= CAST(:count AS INTEGER) - {PENDING + RUNNING}"
    json = "" if sqlite else "::json"
    true, false = ("1", "0") if sqlite else ("true", "false")
    at = ago("(CAST(:count AS INTEGER) - i) * 60 + 90")
    doc = {name: f":{name}" if sqlite else f"CAST(:{name} AS json)" for name in ("spec", "summary", "prompt")}
    secrets = '[{"sealed": "x", "expires_at": null}]'
    statements = [
        f"""{series} INSERT INTO benchmarks (id, name, model, provider, status, spec, notices, rerun_of, planned, done,
            errors, last_ttft_ms, summary, started_at, completed_at, created_at, lease_owner, lease_expires_at, fence,
            prompt_set)
        SELECT i, 'nightly run ' || i, 'model-' || (i % 20), CASE WHEN i % 1000 = 1 THEN 'rare' ELSE 'simulator' END,
            CASE WHEN {ended} THEN CASE WHEN i % 500 = 7 THEN 'failed' ELSE 'completed' END
                WHEN i <= CAST(:count AS INTEGER) - {PENDING} THEN 'running' ELSE 'pending' END,
            {doc["spec"]}, '[]'{json}, CASE WHEN i % 200 = 0 THEN i - 1 END, {RESULTS_EACH}, {RESULTS_EACH}, 1, 100.0,
            CASE WHEN {ended} THEN {doc["summary"]} END, {at}, CASE WHEN {ended} THEN {at} END, {at},
            CASE WHEN {ended} OR i > CAST(:count AS INTEGER) - {PENDING} THEN NULL ELSE 'other' END,
            CASE WHEN {ended} OR i > CAST(:count AS INTEGER) - {PENDING} THEN NULL ELSE {later(3600)} END, 1,
            '{PROMPT_SETS}' || (i % 40 + 10)
        FROM n""",
        f"""{series} INSERT INTO benchmark_metadata (pair, benchmark_id)
        SELECT 'team:search', i FROM n UNION ALL SELECT 'number:' || i, i FROM n""",
        f"""{series} INSERT INTO prompts (benchmark_id, prompt_index, document)
        SELECT i, 0, {doc["prompt"]} FROM n UNION ALL SELECT i, 1, {doc["prompt"]} FROM n""",
        f"""{series}, m(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM m WHERE j < {RESULTS_EACH - 1})
        INSERT INTO results (benchmark_id, prompt_index, repetition, warmup, outcome, scheduled_at, sent_at, queue_ms,
            connection_reused, ttft_ms, latency_ms, output_tokens, flags, response, timeline)
        SELECT i, j % 2, j / 2, {false}, CASE WHEN i % 100 = 3 AND j = 0 THEN 'errored' ELSE 'succeeded' END,
            {at}, {at}, 0.1, {true}, 100 + (i * 7919 + j * 104729) % 997, 200.0, 5, '[]'{json}, :answer, :timeline
        FROM n CROSS JOIN m WHERE {ended}""",
        f"""{series} INSERT INTO segments (benchmark_id, fence, worker_id, started_at, done_before, ended_at)
        SELECT i, 1, 'one', {at}, 0, {at} FROM n WHERE {ended}""",
        f"""INSERT INTO webhook_endpoints (id, url, description, events, secrets, enabled, created_at)
        VALUES ({FAST}, 'http://127.0.0.1:9/fast', '', '[]', '{secrets}', {true}, {ago("0")}),
            ({SLOW}, '{SLOW_URL}', '', NULL, '{secrets}', {true}, {ago("0")}),
            ({QUIET}, 'http://127.0.0.1:9/quiet', '', '[]', '{secrets}', {true}, {ago("0")})""",
        # Every tenth benchmark has a URL of its own.
        f"""{series} INSERT INTO webhook_endpoints (id, benchmark_id, url, description, secrets, enabled, created_at)
        SELECT {QUIET} + i, i, 'http://127.0.0.1:9/own/' || (i % 7), '', '[]'{json}, {true}, {at}
        FROM n WHERE i % 10 = 0""",
        f"""{series} INSERT INTO webhook_events (id, type, benchmark_id, sequence, data, created_at)
        SELECT 'msg_' || i, 'benchmark.completed', i, 2, '{{"id": 1}}'{json}, {at} FROM n WHERE {ended}""",
        f"""{series} INSERT INTO webhook_deliveries (event_id, endpoint_id, status, lane, attempts, step,
            delivered_at, created_at)
        SELECT 'msg_' || i, CASE WHEN i <= {QUIET_GOT} THEN {QUIET} ELSE {FAST} END, 'delivered', 'elsewhere', 1, 0,
            {at}, {at}
        FROM n WHERE {ended}""",
        f"""{series} INSERT INTO webhook_deliveries (event_id, endpoint_id, status, lane, attempts, step,
            next_attempt_at, lease_expires_at, created_at)
        SELECT 'msg_' || i, {SLOW}, 'pending', '{SLOW_URL}', 0, 0, {at}, CASE WHEN i <= 8 THEN {later(3600)} END, {at}
        FROM n WHERE {ended}""",
        f"""{series} INSERT INTO webhook_attempts (delivery_id, number, url, attempted_at, status_code, duration_ms)
        SELECT i, 1, 'http://127.0.0.1:9/fast', {at}, 204, 3.0 FROM n WHERE {ended}""",
        f"""{series} INSERT INTO idempotency_keys (key, fingerprint, benchmark_id, created_at)
        SELECT 'key-' || i, 'f', i, {ago("i / 1000.0")} FROM n""",
    ]
    if not sqlite:
        statements += [
            f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            for name in ("benchmarks", "webhook_endpoints", "results", "webhook_deliveries")
        ]
    return statements
