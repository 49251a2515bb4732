"""`GET /benchmarks/{id}/charts`: made from results, kept once the benchmark has ended, and without texts."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, text

from api.present.charts import KEPT_S, ChartMaker, KeptCharts
from shared.access.caller import LOCAL
from shared.benchmark.results.record import RequestError
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.results.chart_rows import MOST_KINDS, ChartRepository
from shared.db.tables.benchmarks import Result
from shared.db.tables.history import Charts
from tests.api.documents import problem, submit
from tests.shared.db.rows import AT, Tables, make_record
from tests.support.guards import calmest

ERROR = {"kind": "rate_limited", "message": "Too many: <b>hello</b>", "http_status": 429, "phase": "before_first_token"}


def records(count: int = 30) -> list[Any]:
    """Every tenth fails. Sent every 100 ms, with more tokens and a longer TTFT each time."""
    made = []
    for number in range(count):
        sent = AT + timedelta(milliseconds=100 * number)
        changes: dict[str, Any] = {"scheduled_at": sent, "sent_at": sent, "ended_at": sent + timedelta(seconds=1)}
        if number % 10 == 9:
            changes |= {"outcome": "errored", "error": RequestError(**ERROR), "ttft_ms": None, "latency_ms": None}
        else:
            changes |= {"ttft_ms": 100.0 + number, "latency_ms": 900.0}
        made.append(make_record(number, **changes))
    return made


async def ended(tables: Tables, client: httpx2.AsyncClient, count: int = 30) -> None:
    await submit(client, prompts=[f"prompt {number}" for number in range(count)])
    lease = await tables.claimed()
    warmup = make_record(0, -1, warmup=True, ttft_ms=9_999.0)
    await tables.results.record(lease, [*records(count), warmup])
    await tables.leases.finish(lease, "completed", summary=None, error=None)


async def charts(client: httpx2.AsyncClient) -> dict[str, Any]:
    response = await client.get("/benchmarks/1/charts")
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def test_charts_are_over_the_measured_requests(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(tables, api)
    document = await charts(api)
    assert (document["benchmark_id"], document["status"], document["cut"]) == (1, "completed", False)
    assert (document["ttft_ms"]["count"], document["ttft_ms"]["quantiles"][0]) == (27, 100)
    assert document["over_time"]["begins_at"] == "2025-01-15T10:30:00.123456Z"
    assert (sum(document["over_time"]["sent"]), sum(document["over_time"]["failed"])) == (30, 3)
    requests = document["requests"]
    assert (requests["of"], requests["sampled"]) == (30, False)
    assert requests["prompt_index"] == list(range(30))
    assert requests["sent_s"] == pytest.approx([number / 10 for number in range(30)])
    assert requests["ended_s"] == pytest.approx([number / 10 + 1 for number in range(30)])
    assert requests["outcome"][9] == "errored"
    assert document["errors"] == [
        {
            "kind": "rate_limited",
            "count": 3,
            "example": {
                "result_id": requests["id"][9],
                "prompt_index": 9,
                "message": "Too many: <b>hello</b>",
                "http_status": 429,
            },
        }
    ]


async def test_charts_of_an_ended_benchmark_are_kept_without_texts(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(tables, api)
    first = await charts(api)
    async with tables.database.write() as session:
        stored = await session.scalar(select(Charts.document))
        # To see that the second answer is not made from the results.
        for row in await session.scalars(select(Result).where(Result.outcome == "succeeded")):
            await session.delete(row)
    assert stored is not None
    assert await charts(api) == first
    maker = ChartRepository(LOCAL, tables.database)
    await maker.store(1, 0, b"of another version")
    assert (await charts(api))["ttft_ms"]["count"] == 0
    # Nothing is kept of a benchmark that was deleted meanwhile.
    await maker.store(99, 1, b"")
    assert await maker.stored(99) is None


async def test_deleted_texts_are_deleted_from_charts(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(tables, api)
    assert "Too many" in str(await charts(api))
    retention, after = RetentionRepository(tables.database), 0
    while (following := await retention.delete_texts_step(1, after)) is not None:
        after = following
    found = await charts(api)
    assert "Too many" not in str(found)
    assert found["errors"][0]["example"]["message"] == "(deleted by TEXT_RETENTION_DAYS)"


class HeldClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now_ns = 5

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_now(self) -> Any:
        raise NotImplementedError


async def test_charts_of_a_running_benchmark_follow_it(tables: Tables) -> None:
    clock = HeldClock()
    maker = ChartMaker(ChartRepository(LOCAL, tables.database), tables.benchmarks, clock, KeptCharts())
    await tables.add(prompts=[f"prompt {number}" for number in range(30)])
    assert (await maker.of(1))["requests"]["of"] == 0
    lease, made = await tables.claimed(), records()
    await tables.results.record(lease, made[:10])
    # They are at most a few seconds old.
    assert (await maker.of(1))["requests"]["of"] == 0
    clock.now_ns += round(KEPT_S * 1e9)
    assert (await maker.of(1))["requests"]["of"] == 10
    await tables.results.record(lease, made[10:])
    await tables.leases.finish(lease, "cancelled", summary=None, error=None)
    assert (await maker.of(1))["requests"]["of"] == 30
    assert await ChartRepository(LOCAL, tables.database).stored(1) is not None


async def test_only_the_newest_requests_are_read(tables: Tables) -> None:
    await tables.add(prompts=[f"prompt {number}" for number in range(30)])
    lease = await tables.claimed()
    await tables.results.record(lease, records())
    blocks = [block async for block in ChartRepository(LOCAL, tables.database).blocks(1, 12)]
    assert [row[1] for block in blocks for row in block] == list(range(29, 17, -1))


async def test_charts_of_many_results_never_hold_the_event_loop(tables: Tables) -> None:
    """Processor time of the longest callback, which other programs do not lengthen."""
    await tables.add()
    lease = await tables.claimed()
    flags = "'[]'" if tables.database.is_sqlite else "'[]'::json"
    warmup, reused = ("0", "1") if tables.database.is_sqlite else ("false", "true")
    at = "'2025-01-15T10:30:00.000000Z'" if tables.database.is_sqlite else "timestamptz '2025-01-15 10:30:00+00'"
    async with tables.database.engine.begin() as connection:
        await connection.execute(
            text(
                f"""WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
                INSERT INTO results (benchmark_id, prompt_index, repetition, warmup, outcome, scheduled_at, sent_at,
                    ended_at, queue_ms, connection_reused, ttft_ms, latency_ms, input_tokens, output_tokens, flags)
                SELECT 1, i, 0, {warmup}, 'succeeded', {at}, {at}, {at}, 0.1, {reused}, 100 + i % 97, 300 + i % 89,
                    10 + i % 50, 5, {flags} FROM n"""
            )
        )
    await tables.leases.finish(lease, "completed", summary=None, error=None)
    rows = ChartRepository(LOCAL, tables.database)

    async def draw() -> None:
        maker = ChartMaker(rows, tables.benchmarks, HeldClock(), KeptCharts())
        assert (await maker.of(1))["ttft_ms"]["count"] == 20_000

    watch = await calmest(draw)
    assert watch.busy_s < 0.05, watch.callback


async def test_a_figure_is_a_table(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(tables, api)
    response = await api.get("/benchmarks/1/charts/ttft-ecdf.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="benchmark-1-ttft-ecdf.csv"'
    lines = response.text.split("\r\n")
    assert (lines[0], lines[1], lines[-2], lines[-1]) == ("share,ttft_ms", "0.037037,100.0", "1.0,128.0", "")
    errors = (await api.get("/benchmarks/1/charts/errors.csv")).text
    assert errors == "kind,requests\r\nrate_limited,3\r\n"


async def test_only_the_most_frequent_kinds_of_errors_are_listed_and_none_is_a_formula(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    """An import may have kinds of its own."""
    await submit(api, prompts=["a"])
    lease = await tables.claimed()
    failed = {"outcome": "errored", "ttft_ms": None, "latency_ms": None}
    kinds = ["=1+1", "=1+1", *(f"kind {number:03}" for number in range(MOST_KINDS + 50))]
    made = [
        make_record(0, number, error=RequestError(**{**ERROR, "kind": kind}), **failed)
        for number, kind in enumerate(kinds)
    ]
    await tables.results.record(lease, made)
    await tables.leases.finish(lease, "completed", summary=None, error=None)
    assert len((await charts(api))["errors"]) == MOST_KINDS
    assert (await api.get("/benchmarks/1/charts/errors.csv")).text.split("\r\n")[1] == "'=1+1,2"


async def test_what_is_not_there_is_said(empty_api: httpx2.AsyncClient) -> None:
    problem(await empty_api.get("/benchmarks/9/charts"), 404)
    problem(await empty_api.get("/benchmarks/9/charts/ttft-ecdf.csv"), 404)
    problem(await empty_api.get("/benchmarks/9/charts/anything.csv"), 422)
