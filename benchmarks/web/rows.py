"""What the pages are measured with: 10,000 benchmarks, and of some of them very many results. Inserted by SQL."""

from dataclasses import dataclass

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.connection.database import Database
from tests.support.databases.many_rows import fill

PROMPTS = 50
# The benchmarks that the history shows: every twentieth has the same model.
SAME_MODEL = 20
PROMPT_SET = "5e7" + "0" * 61


@dataclass(frozen=True, slots=True)
class Filled:
    """Ids: of a benchmark with 10 results, with `large` results, of two to compare, and of the one to export."""

    small: int
    large: int
    first: int
    second: int
    longest: int


async def fill_all(url: str, *, benchmarks: int, large: int, compared: int, longest: int) -> Filled:
    """Fills an empty, migrated database with so many benchmarks and results."""
    database = Database(url)
    await fill(database, benchmarks)
    # The newest that ended have one model; `fill` leaves the last thirty open.
    last = (benchmarks - 40) // SAME_MODEL * SAME_MODEL
    made = Filled(*(last - step * SAME_MODEL for step in range(5)))
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE benchmarks SET prompt_set = :set"), {"set": PROMPT_SET})
        for number, count, slower_ms in (
            (made.large, large, 0),
            (made.first, compared, 0),
            (made.second, compared, 20),
            (made.longest, longest, 0),
        ):
            await _results(connection, number, count, slower_ms, sqlite=database.is_sqlite)
        if database.is_sqlite:
            await connection.exec_driver_sql("ANALYZE")
    if not database.is_sqlite:
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("VACUUM ANALYZE")
    await database.close()
    return made


async def _results(connection: AsyncConnection, number: int, count: int, slower_ms: int, *, sqlite: bool) -> None:
    """Gives a benchmark `count` results of 50 prompts over ten minutes, every 500th of them failed."""
    values = {"id": number, "count": count, "slower": slower_ms}
    whole = "CAST(:count AS INTEGER)"
    series = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {whole} - 1)"
    if not sqlite:
        # As big integers, because some products below need more than 32 bits.
        series = f"WITH n(i) AS (SELECT generate_series(0, CAST({whole} - 1 AS BIGINT)))"
    offset = f"(i * 600.0 / {whole})"
    at = (
        f"strftime('%Y-%m-%dT%H:%M:%f000Z', '2026-11-01', '+' || {offset} || ' seconds')"
        if sqlite
        else f"timestamptz '2026-11-01 00:00:00+00' + make_interval(secs => {offset})"
    )
    empty, true, false = ("'[]'", "1", "0") if sqlite else ("'[]'::json", "true", "false")
    error = orjson.dumps({"kind": "server_error", "message": "overloaded", "phase": "before_first_token"}).decode()
    # Spread like latencies, the same in both databases: a sum of residues and a long tail.
    ttft = "(100.0 + :slower + (i * 7919) % 97 + (i * 104729) % 61 + 2000.0 / (1 + (i * 15485863) % 499))"
    ok = "i % 500 <> 7"
    for statement in ("DELETE FROM results WHERE benchmark_id = :id", "DELETE FROM prompts WHERE benchmark_id = :id"):
        await connection.execute(text(statement), {"id": number})
    await connection.execute(
        text(f"UPDATE benchmarks SET planned = {whole}, done = {whole} WHERE id = :id"), {"id": number, "count": count}
    )
    document = '{"messages": [{"role": "user", "content": "Say hello in few words"}], "parameters": {}}'
    as_json = ":document" if sqlite else "CAST(:document AS json)"
    await connection.execute(
        text(f"INSERT INTO prompts (benchmark_id, prompt_index, document) VALUES (:id, :index, {as_json})"),
        [{"id": number, "index": index, "document": document} for index in range(PROMPTS)],
    )
    await connection.execute(
        text(
            f"""{series}
            INSERT INTO results (benchmark_id, prompt_index, repetition, warmup, outcome, scheduled_at, sent_at,
                ended_at, queue_ms, connection_reused, ttfb_ms, ttft_ms, ttfat_ms, latency_ms, stream_close_ms,
                tokens_per_second, tpot_ms, max_stall_ms, input_tokens, output_tokens, token_source, cost_usd,
                finish_reason, error, flags, response)
            SELECT :id, i % {PROMPTS}, i / {PROMPTS}, {false}, CASE WHEN {ok} THEN 'succeeded' ELSE 'errored' END,
                {at}, {at}, {at}, 0.1, {true}, {_if(ok, f"{ttft} - 1.5")}, {_if(ok, ttft)}, {_if(ok, ttft)},
                {_if(ok, f"{ttft} + 480.0 + i % 37")}, {_if(ok, f"{ttft} + 481.0 + i % 37")}, {_if(ok, "98.5")},
                {_if(ok, "10.15")}, {_if(ok, "31.0")}, 20 + (i % {PROMPTS}) * 8, {_if(ok, "48 + i % 5")}, 'usage',
                {_if(ok, "0.000145")}, {_if(ok, "'stop'")},
                {f"CASE WHEN {ok} THEN NULL ELSE {_json(error, sqlite=sqlite)} END"}, {empty},
                {_if(ok, "'Hello there, friend! How are you?'")}
            FROM n"""
        ),
        values,
    )


def _if(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


def _json(document: str, *, sqlite: bool) -> str:
    # A colon would begin a parameter.
    quoted = "'" + document.replace(":", "\\:") + "'"
    return quoted if sqlite else f"{quoted}\\:\\:json"
