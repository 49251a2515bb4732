"""Exports of one benchmark over HTTP: complete, safe, and broken off rather than wrong."""

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import yaml

from shared.benchmark.results.record import RequestError
from tests.api.documents import submit
from tests.shared.db.rows import Tables, make_record
from tests.support.databases.many_rows import a_summary

FORMULA = '=HYPERLINK("http://evil.example")'


@pytest.fixture
async def recorded(api: httpx2.AsyncClient, tables: Tables) -> httpx2.AsyncClient:
    """Three results and one of warm-up."""
    await submit(api, name="Haiku: “fast”?", prompts=["one", FORMULA], warmup=1, repetitions=2)
    await tables.results.record(
        await tables.claimed(),
        [
            make_record(0, -1, warmup=True),
            make_record(0, cost_usd=Decimal("0.00001075"), flags=["buffered"]),
            make_record(1, response=FORMULA, served_model="@x"),
            make_record(
                0,
                1,
                outcome="errored",
                error=RequestError("overloaded", "busy", "before_first_token", 529),
                ttft_ms=None,
            ),
        ],
    )
    return api


def table(response: httpx2.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""), strict=True))


async def test_csv_has_a_row_for_each_measured_request_without_texts(recorded: httpx2.AsyncClient) -> None:
    response = await recorded.get("/benchmarks/1/export")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="benchmark-1-haiku-fast.csv"'
    assert response.headers["export-rows"] == "3"
    first, second, third = table(response)
    assert (first["prompt_index"], first["cost_usd"], first["flags"]) == ("0", "0.00001075", "buffered")
    assert (second["served_model"], third["error_http_status"], third["ttft_ms"]) == ("'@x", "529", "")
    assert first["sent_at"] == "2025-01-15T10:30:00.123456Z"
    assert "response" not in first


async def test_texts_and_warmup_come_if_they_are_asked_for(recorded: httpx2.AsyncClient) -> None:
    include = {"include": "prompt,response,timeline", "warmup": "true"}
    warmup, _, third, _ = table(await recorded.get("/benchmarks/1/export", params=include))
    assert (warmup["warmup"], warmup["prompt"], warmup["response"]) == ("true", "one", "Hello")
    assert (third["prompt"], third["response"]) == (f"'{FORMULA}", f"'{FORMULA}")
    assert third["timeline"] == "0.001:content:1"
    assert "reasoning" not in third


async def test_json_lines_have_the_same_columns(recorded: httpx2.AsyncClient) -> None:
    response = await recorded.get("/benchmarks/1/export", params={"format": "jsonl", "include": "response"})
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert list(lines[0]) == list(table(await recorded.get("/benchmarks/1/export?include=response"))[0])
    assert [line["response"] for line in lines] == ["Hello", FORMULA, "Hello"]


async def test_parquet_is_a_file(recorded: httpx2.AsyncClient) -> None:
    response = await recorded.get("/benchmarks/1/export", params={"format": "parquet"})
    assert response.content[:4] == response.content[-4:] == b"PAR1"
    assert response.headers["content-disposition"].endswith('.parquet"')


def test_an_installation_without_the_extra_says_what_it_needs() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from api.routes.exports import WRITERS\n"
        "from shared.errors import InvalidRequest\n"
        "try: WRITERS['parquet']([])\n"
        "except InvalidRequest as exc: print(exc)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("format: this server cannot write Parquet: `pip install 'llmbench[parquet]'`")


async def test_head_tells_of_the_file_without_reading_it(recorded: httpx2.AsyncClient) -> None:
    response = await recorded.head("/benchmarks/1/export")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["export-rows"] == "3"
    assert "content-length" not in response.headers
    assert "attachment" in response.headers["content-disposition"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xls"}, "format"),
        ({"include": "everything"}, "include"),
        ({"include": "x" * 300}, "include"),
        ({"warmup": "perhaps"}, "warmup"),
        ({"limit": "1"}, "limit"),
    ],
)
async def test_a_wrong_query_names_its_field(empty_api: httpx2.AsyncClient, query: dict[str, Any], field: str) -> None:
    response = await empty_api.get("/benchmarks/1/export", params=query)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


async def test_a_benchmark_that_is_not_there_is_not_found(empty_api: httpx2.AsyncClient) -> None:
    for format_name in ("csv", "jsonl", "parquet"):
        response = await empty_api.get("/benchmarks/9/export", params={"format": format_name})
        assert response.status_code == 404


async def test_a_benchmark_without_results_is_a_file_without_rows(api: httpx2.AsyncClient) -> None:
    await submit(api)
    assert table(await api.get("/benchmarks/1/export?include=response,prompt")) == []
    assert (await api.get("/benchmarks/1/export?format=jsonl")).content == b""


async def test_the_list_is_exported_with_its_filters(api: httpx2.AsyncClient, tables: Tables) -> None:
    for name in ("=1+1", "second", "third"):
        await submit(api, name=name, metadata={"team": name})
    lease = await tables.claimed()
    await tables.results.record(lease, [make_record(0, cost_usd=Decimal("0.00001075"))])
    await tables.leases.finish(lease, "completed", summary=a_summary(), error=None)
    response = await api.get("/benchmarks/export")
    assert response.headers["content-disposition"] == 'attachment; filename="benchmarks.csv"'
    third, second, first = table(response)
    assert (first["name"], first["status"], first["cost_usd"]) == ("'=1+1", "completed", "0.00001075")
    assert (first["succeeded"], first["failed"], first["ttft_ms_p50"], first["ttft_ms_p99"]) == ("40", "0", "119.5", "")
    assert (second["name"], third["status"], third["ttft_ms_p50"]) == ("second", "pending", "")
    filtered = await api.get("/benchmarks/export?format=jsonl&metadata=team:second&status=pending")
    (line,) = [json.loads(line) for line in filtered.text.splitlines()]
    assert (line["id"], line["imported"], line["cost_usd"]) == (2, False, None)
    assert (await api.get("/benchmarks/export?limit=3")).status_code == 422
    assert (await api.get("/benchmarks/export?format=parquet")).status_code == 422
    assert table(await api.get("/benchmarks/export?name=nothing")) == []


async def test_a_report_of_llm_d_needs_a_summary(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    assert (await api.get("/benchmarks/1/export?format=llmd")).status_code == 409
    await tables.leases.finish(await tables.claimed(), "completed", summary=a_summary(), error=None)
    response = await api.get("/benchmarks/1/export?format=llmd")
    assert response.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(response.text)["results"]["request_performance"]["aggregate"]["requests"]["total"] == 40


async def test_a_comparison_is_exported(api: httpx2.AsyncClient, tables: Tables) -> None:
    for name, ttft_ms in (("one", 100.0), ("=two", 300.0)):
        await submit(api, name=name, prompts=[f"prompt {number}" for number in range(30)])
        lease = await tables.claimed()
        await tables.results.record(lease, [make_record(number, ttft_ms=ttft_ms + number) for number in range(30)])
        await tables.leases.finish(lease, "completed", summary=a_summary(), error=None)
    rows = table(await api.get("/compare/export?ids=1,2&metric=ttft_ms"))
    (reference, other) = [row for row in rows if row["statistic"] == "p50"]
    assert (reference["benchmark_id"], reference["value"], reference["difference"]) == ("1", "114.5", "")
    assert (other["benchmark_id"], other["name"], float(other["difference"])) == ("2", "'=two", 200.0)
    document = (await api.get("/compare?ids=1,2&metric=ttft_ms")).json()["metrics"][0]["differences"][0]
    assert (other["verdict"], other["sentence"]) == (document["verdict"], document["sentence"])
    lines = (await api.get("/compare/export?ids=1,2&metric=ttft_ms&format=jsonl")).text.splitlines()
    assert [json.loads(line)["benchmark_id"] for line in lines] == [int(row["benchmark_id"]) for row in rows]
    assert (await api.get("/compare/export?ids=1,9")).status_code == 404
