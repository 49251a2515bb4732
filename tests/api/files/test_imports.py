"""Exports of one server are imported by another: the same content, once, and only if all of it is right."""

import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from api.schemas.benchmark_request import EXAMPLES
from shared.benchmark.results.record import RequestError
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.runs.benchmarks import RunBenchmarks
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.errors import Conflict
from tests.api.documents import KEY, problem, submit
from tests.shared.db.rows import Tables, make_record
from tests.support.databases.many_rows import a_summary

Document = dict[str, Any]


async def ended(api: httpx2.AsyncClient, tables: Tables, **changes: Any) -> Document:
    """The export of a benchmark with results, which was cancelled and then ended."""
    await submit(
        api,
        **{
            "prompts": ["one", {"messages": [{"role": "user", "content": "zwei 🦊"}], "system": "Be brief."}],
            "repetitions": 2,
            "warmup": 1,
            "metadata": {"team": "search"},
            **changes,
        },
    )
    lease = await tables.claimed()
    await tables.results.record(
        lease,
        [
            make_record(0, -1, warmup=True),
            make_record(0, cost_usd=Decimal("0.00001075"), flags=["buffered"], response="=1\n", reasoning="hm"),
            make_record(1, timeline=None),
            make_record(0, 1, outcome="errored", error=RequestError("overloaded", "busy", "before_first_token", 529)),
        ],
    )
    await tables.leases.finish(lease, "completed", summary=a_summary(), error=None)
    return await exported(api)


async def exported(api: httpx2.AsyncClient, benchmark_id: int = 1) -> Document:
    response = await api.get(f"/benchmarks/{benchmark_id}/export", params={"format": "json"})
    assert response.status_code == 200, response.text
    document: Document = response.json()
    return document


def without_id(document: Document) -> Document:
    return {**document, "benchmark": {**document["benchmark"], "id": None}}


async def test_what_a_benchmark_spent_is_imported_as_it_was(api: httpx2.AsyncClient, tables: Tables) -> None:
    document = await ended(api, tables)
    spent = {"spent_usd": 0.000011, "worst_case_usd": 0.0, "requests": 2, "unpriced_requests": 0}
    document["benchmark"]["summary"]["spend"] = spent
    response = await api.post("/import", json=document)
    assert response.status_code == 201, response.text
    assert (await exported(api, response.json()["id"]))["benchmark"]["summary"]["spend"] == spent


async def test_every_number_of_a_stage_is_imported_as_it_was(api: httpx2.AsyncClient, tables: Tables) -> None:
    document = await ended(api, tables)
    series = {"running": {"unit": "requests", "mean": 1.5, "max": 3, "end": 0.0, "samples": 1}}
    summary = {**document["benchmark"]["summary"], "observed": observed(series=series)}
    document["benchmark"] |= {"price": PRICE, "summary": summary}
    document["stages"] = [{**STAGE, "label": {"concurrency": 4}, "summary": summary}]
    response = await api.post("/import", json=document)
    assert response.status_code == 201, response.text
    assert without_id(await exported(api, 2)) == without_id(document)
    for path in ("/benchmarks/2/curve", "/benchmarks/2/observations?stage=0", "/ui/benchmarks/2", "/ui/report?ids=2"):
        assert (await api.get(path)).status_code == 200, path


async def test_an_import_has_the_same_export_as_the_benchmark_that_it_came_from(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    document = await ended(api, tables)
    assert len(document["results"]) == 4
    assert [prompt["prompt_index"] for prompt in document["prompts"]] == [0, 1]
    response = await api.post("/import", json=document)
    assert (response.status_code, response.headers["location"]) == (201, "/benchmarks/2")
    assert response.json()["imported"] is True
    assert "Imported" in response.json()["notices"][-1]
    again = await exported(api, 2)
    assert again["benchmark"]["id"] == 2
    assert without_id(again) == without_id(document)
    read = (await api.get("/benchmarks/2")).json()
    before = (await api.get("/benchmarks/1")).json()
    assert [item["response"] for item in read["results"]] == [item["response"] for item in before["results"]]
    assert (read["status"], read["progress"], read["segments"]) == ("completed", before["progress"], before["segments"])
    listed = (await api.get("/benchmarks", params={"metadata": "team:search"})).json()["items"]
    assert [(item["id"], item["imported"]) for item in listed] == [(2, True), (1, False)]


async def test_the_same_content_is_imported_once(api: httpx2.AsyncClient, tables: Tables) -> None:
    document = await ended(api, tables)
    assert (await api.post("/import", json=document)).status_code == 201
    other_order = dict(reversed([*document.items()]))
    other_id = {**other_order, "benchmark": {**document["benchmark"], "id": 77}}
    packed = gzip.compress(json.dumps(other_id, indent=3).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    second = await api.post("/import", content=packed, headers=headers)
    assert (second.status_code, second.json()["id"]) == (200, 2)
    third = await api.post("/import", json=await exported(api, 2))
    assert (third.status_code, third.json()["id"]) == (200, 2)
    changed = json.loads(json.dumps(document))
    changed["results"][0]["ttft_ms"] = 1.0
    assert (await api.post("/import", json=changed)).status_code == 201
    assert len((await api.get("/benchmarks")).json()["items"]) == 3


SPECS: list[Document] = [
    *(example.get("value", {}) for example in EXAMPLES.values()),
    {"prompts": ["a"], "load": {"request_rate": 5, "arrival": "poisson", "duration_s": 10, "warmup": {"requests": 2}}},
    {"prompts": ["a"], "slos": "interactive_chat", "load": {"search": {"max": 16, "probe_s": 5}}},
    # A bound of the preset that was removed does not come back.
    {"prompts": ["a"], "slos": {"preset": "interactive_chat", "ttft_ms": None}},
    {"prompts": ["a"], "extra_body": {"ignore_eos": True}, "parameters": {"stop": ["x", "y"]}, "request_rate": 2.5},
    {"workload": {"source": "builtin", "order": "shuffled"}, "repetitions": 4, "system": "Be brief."},
]


async def test_every_kind_of_spec_is_imported_as_it_was(api: httpx2.AsyncClient) -> None:
    for number, spec in enumerate(SPECS):
        whole = {"name": f"spec {number}", "model": "gpt-4o-mini", **spec, "provider": None}
        posted = await api.post("/benchmarks", json=whole)
        assert posted.status_code == 202, posted.text
        first = posted.json()["id"]
        await api.post(f"/benchmarks/{first}/cancel")
        document = await exported(api, first)
        response = await api.post("/import", json=document)
        assert response.status_code == 201, (spec, response.text)
        assert without_id(await exported(api, response.json()["id"])) == without_id(document)


async def test_a_dataset_is_found_by_its_hash_or_missed_without_harm(api: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": "application/x-ndjson"}
    rows = b'{"prompt": "Hi"}\n{"prompt": "Ho"}\n'
    params = {"name": "d", "format": "jsonl"}
    assert (await api.post("/datasets", content=rows, params=params, headers=headers)).status_code == 201
    workload = {"source": "dataset", "dataset": {"id": 1}}
    posted = await api.post("/benchmarks", json={"name": "d", "model": "gpt-4o-mini", "workload": workload})
    assert posted.status_code == 202, posted.text
    await api.post("/benchmarks/1/cancel")
    document = await exported(api)
    assert "id" not in document["benchmark"]["spec"]["workload"]["dataset"]
    assert (await api.post("/import", json=document)).status_code == 201
    assert (await api.get("/benchmarks/2")).json()["workload"]["dataset"]["id"] == 1
    assert (await api.delete("/datasets/1")).status_code == 204
    changed = json.loads(json.dumps(document).replace('"name": "d"', '"name": "e"'))
    assert (await api.post("/import", json=changed)).status_code == 201
    assert (await api.get("/benchmarks/3")).json()["workload"]["dataset"]["id"] is None
    assert (await api.get("/benchmarks/3/prompts")).json()["items"] == []
    assert (await api.get("/benchmarks/3/export?include=prompt")).status_code == 200
    assert without_id(await exported(api, 3)) == without_id(changed)
    assert (await api.post("/benchmarks/3/rerun")).status_code == 422


async def test_the_id_of_a_dataset_in_a_file_means_nothing_here(api: httpx2.AsyncClient) -> None:
    """It may be that of another owner, whose rows a page for admins would make prompts of."""
    headers = {"Content-Type": "application/x-ndjson"}
    params = {"name": "d", "format": "jsonl"}
    assert (await api.post("/datasets", content=b'{"prompt": "Hi"}\n', params=params, headers=headers)).is_success
    workload = {"source": "dataset", "dataset": {"id": 1}}
    assert (await api.post("/benchmarks", json={"name": "d", "model": "sim", "workload": workload})).is_success
    await api.post("/benchmarks/1/cancel")
    document = await exported(api)
    named = document["benchmark"]["spec"]["workload"]["dataset"]
    named |= {"id": 1, "sha256": "0" * 64}
    assert (await api.post("/import", json=document)).status_code == 201
    assert (await api.get("/benchmarks/2")).json()["workload"]["dataset"]["id"] is None
    for workload in ([1], 5, {"source": "dataset", "dataset": {"id": 1}}):
        document["benchmark"]["spec"]["workload"] = workload
        problem(await api.post("/import", json=document), 422)


async def test_an_import_is_no_workers_and_no_webhook_hears_of_it(api: httpx2.AsyncClient, tables: Tables) -> None:
    document = await ended(api, tables)
    webhook = await api.post("/webhooks", json={"url": "https://hooks.example.com/a"})
    assert webhook.status_code in (201, 422, 503)
    assert (await api.post("/import", json=document)).status_code == 201
    assert await tables.leases.claim("one") is None
    assert (await api.get("/benchmarks/2/webhook-deliveries")).json()["items"] == []
    rerun = await api.post("/benchmarks/2/rerun")
    assert (rerun.status_code, rerun.json()["imported"]) == (202, False)


FORBIDDEN = {"model": "gpt-5-pro", "max_tokens": 1_000_000, "n": "500", "stream": False, "api_key": KEY}
# What a submit refuses, or checks: a benchmark whose texts are gone has none of it.
NOT_LEFT: list[Document] = [
    {"extra_body": FORBIDDEN},
    {"extra_body": {"user": "me"}},
    {"workload": {"source": "builtin"}},
    {"metadata": {"a": "x" * 50_000}},
    {"system": "Be brief."},
    {"parameters": {"max_tokens": 16, "stop": ["x"]}},
    {"load": {"stages": [{"name": "peak", "concurrency": 1, "requests": 2}]}},
]


async def without_texts(api: httpx2.AsyncClient, tables: Tables) -> Document:
    """The export of a benchmark whose texts retention has deleted."""
    await ended(api, tables)
    retention, after = RetentionRepository(tables.database), 0
    while (after := await retention.delete_texts_step(1, after) or 0) > 0:
        pass
    document = await exported(api)
    assert document["benchmark"]["texts_deleted_at"] is not None
    return document


async def test_without_its_texts_a_benchmark_is_imported_and_not_run_again(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    document = await without_texts(api, tables)
    response = await api.post("/import", json=document)
    assert response.status_code == 201, response.text
    assert without_id(await exported(api, 2)) == without_id(document)
    problem(await api.post("/benchmarks/2/rerun"), 409)


async def test_what_retention_deletes_is_not_imported_beside_its_date(api: httpx2.AsyncClient, tables: Tables) -> None:
    whole = await without_texts(api, tables)
    for further in NOT_LEFT:
        document = json.loads(json.dumps(whole))
        document["benchmark"]["spec"] |= further
        named = problem(await api.post("/import", json=document), 422)["errors"]
        assert [error["field"] for error in named] == [f"benchmark.spec.{name}" for name in further]
    for name in ("name", "model"):
        document = json.loads(json.dumps(whole))
        document["benchmark"]["spec"][name] = "other"
        assert problem(await api.post("/import", json=document), 422)["errors"][0]["field"] == "benchmark.spec"


async def test_a_stored_spec_that_no_submit_may_have_is_not_run_again(api: httpx2.AsyncClient, tables: Tables) -> None:
    """A version before, or its import, may have let it in."""
    await submit(api)
    async with tables.database.read() as session:
        spec = (await session.scalars(select(Benchmark.spec_document))).one()
    for name, value in FORBIDDEN.items():
        async with tables.database.write() as session:
            await session.execute(update(Benchmark).values(spec_document={**spec, "extra_body": {name: value}}))
        named = problem(await api.post("/benchmarks/1/rerun"), 422)["errors"]
        assert [error["field"] for error in named] == [f"extra_body.{name}"]
    async with tables.database.write() as session:
        built_in = {**spec, "workload": {"source": "builtin"}}
        await session.execute(update(Benchmark).values(spec_document=built_in, texts_deleted_at=utc_now()))
    problem(await api.post("/benchmarks/1/rerun"), 409)
    with pytest.raises(Conflict):
        await RunBenchmarks(tables.database).spec(1)


def change(path: str, value: Any) -> Callable[[Document], None]:
    def apply(document: Document) -> None:
        *before, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in before:
            place = place[part]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return apply


AT = "2025-01-15T10:30:00.000000Z"
SEGMENT = {
    "fence": 1,
    "worker_id": "w",
    "started_at": AT,
    "ended_at": AT,
    "ended_by": "completed",
    "done_before": 0,
    "results": 4,
    "unanswered": [],
    "measurement": None,
}
STAGE = {"number": 0, "label": {}, "started_at": AT, "ended_at": AT, "ended_by": "requests", "summary": None}
PRICE = {"source": "configured", "provider": "p", "model": "m", "input_usd_per_mtok": "0.25"}


def observed(**changes: Any) -> Document:
    """What a server said of itself, as a summary has it."""
    return {"begin_at": AT, "end_at": AT, "samples": 1, "failures": {}, "series": {}, **changes}


WRONG: list[tuple[str, Any, str]] = [
    ("format", "other", "format"),
    ("version", 99, "version"),
    ("version", 0, "version"),
    ("benchmark", ..., "benchmark"),
    ("benchmark", [], "benchmark"),
    ("more", 1, "more"),
    ("benchmark.status", "running", "benchmark.status"),
    ("benchmark.more", 1, "benchmark.more"),
    ("benchmark.done", 3, "benchmark.done"),
    ("benchmark.name", "", "benchmark.name"),
    ("benchmark.name", "other", "benchmark.spec"),
    ("benchmark.name", "a\0b", "benchmark.name"),
    ("benchmark.spec.concurrency", 10**9, "benchmark.spec.concurrency"),
    ("benchmark.spec.more", 1, "benchmark.spec.more"),
    ("benchmark.spec.metadata", {"a": "\0"}, "benchmark.spec.metadata.a"),
    ("benchmark.cost_usd", "-1", "benchmark.cost_usd"),
    ("benchmark.created_at", "2025-01-15T10:30:00", "benchmark.created_at"),
    ("benchmark.started_at", None, "benchmark.started_at"),
    ("benchmark.created_at", "0001-01-01T00:00:00+14:00", "benchmark.created_at"),
    ("benchmark.summary", {"requests": 1}, "benchmark.summary.requests"),
    ("benchmark.summary.ttft_ms.p50", "12", "benchmark.summary.ttft_ms.p50"),
    *(
        (f"benchmark.summary.{path}", value, f"benchmark.summary.{path}")
        for path, value in (
            ("requests.succeeded", -5),
            ("requests.succeeded", True),
            ("requests.succeeded", 40.0),
            ("duration_s", -0.1),
            ("duration_s", 1e300),
            ("interrupted", 1),
            ("ttft_ms.p95", -1),
            ("latency_ms.stdev", None),
            ("latency_ms.p50", None),
            ("cost.total_usd", "-0.1"),
            ("cost.total_usd", "nan"),
        )
    ),
    *(
        ("benchmark.summary.observed", observed(begin_at=begin), "benchmark.summary.observed.begin_at")
        for begin in (0, "0", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01t00:00:00z")
    ),
    ("benchmark.summary.error_kinds", {"slow": -1}, "benchmark.summary.error_kinds.slow"),
    ("benchmark.summary.ttft_ms.p50_ci95", [-1, 2], "benchmark.summary.ttft_ms.p50_ci95[0]"),
    ("benchmark.price", {**PRICE, "input_usd_per_mtok": "-1"}, "benchmark.price.input_usd_per_mtok"),
    ("segments", [{**SEGMENT, "worker_id": "w" * 65}], "segments[0].worker_id"),
    ("segments", [{**SEGMENT, "measurement": {"grade": "Z"}}], "segments[0].measurement.grade"),
    ("segments", [SEGMENT, SEGMENT], "segments"),
    ("stages", [{**STAGE, "summary": {"requests": 1}}], "stages[0].summary.requests"),
    ("stages", [{**STAGE, "label": {"concurrency": -1}}], "stages[0].label.concurrency"),
    ("prompts.0.messages", [], "prompts[0].messages"),
    ("prompts.0.prompt_index", 1, "prompts[0].prompt_index"),
    ("prompts", [], "benchmark.spec.prompts"),
    ("results.1.ttft_ms", -1, "results[1].ttft_ms"),
    ("results.1.ttft_ms", "fast", "results[1].ttft_ms"),
    ("results.1.ttft_ms", 1e300, "results[1].ttft_ms"),
    ("results.1.input_tokens", 2**63, "results[1].input_tokens"),
    ("results.1.outcome", "great", "results[1].outcome"),
    ("results.1.prompt_index", 2**31, "results[1].prompt_index"),
    ("results.1.prompt_index", 5, "results"),
    ("results.1.repetition", 1, "results"),
    ("results.1.warmup", True, "results[1]"),
    ("results.1.response", "a\0b", "results[1].response"),
    ("results.1.response", "x" * 1_200_000, "results[1].response"),
    ("results.1.timeline", "AQE=", "results[1].timeline"),
    ("results.1.timeline", "?", "results[1].timeline"),
    ("results.1.error", {"kind": "x"}, "results[1].error.message"),
    ("results.1.more", 1, "results[1].more"),
    ("results.1", None, "results[1]"),
]


async def test_a_wrong_part_is_named_and_nothing_is_stored(api: httpx2.AsyncClient, tables: Tables) -> None:
    whole = await ended(api, tables)
    for path, value, field in WRONG:
        document = json.loads(json.dumps(whole))
        change(path, value)(document)
        response = await api.post("/import", json=document)
        assert response.status_code == 422, (path, response.text)
        named = [error["field"] for error in response.json()["errors"]]
        assert field in named, (path, named)
    assert len((await api.get("/benchmarks")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b'{"format":"llmbench-benchmark","version":1', 422),
        (b'{"results":[{"ttft_ms":NaN}]}', 422),
        (b'{"benchmark":{"a":NaN}}', 422),
        (b'{"results":["\xff"]}', 422),
        (b'{"results":["\\ud800"]}', 422),
        (b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 422),
        (b'{"prompts":[' + b"{}," * 100_000 + b"{}]}", 422),
    ],
)
async def test_what_is_no_export_is_refused(empty_api: httpx2.AsyncClient, body: bytes, status: int) -> None:
    response = await empty_api.post("/import", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text


async def test_only_json_is_taken(empty_api: httpx2.AsyncClient) -> None:
    for kind, encoding in (("text/plain", ""), ("application/json", "br")):
        headers = {"Content-Type": kind, **({"Content-Encoding": encoding} if encoding else {})}
        assert (await empty_api.post("/import", content=b"{}", headers=headers)).status_code == 415
