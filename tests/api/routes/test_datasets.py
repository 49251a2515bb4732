"""`/datasets`: uploads, what is shown of them, and files that are meant to hurt."""

import asyncio
import gzip
import hashlib
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from api.files.dataset_uploads import MAX_DATASET_BYTES, UPLOADS_AT_ONCE
from api.files.uploads import receive
from api.http.body import BodyTooLarge
from shared.benchmark.workload.dataset_spec import DatasetSource
from shared.errors import InvalidRequest
from tests.api.documents import pages, problem, submit
from tests.shared.db.rows import Tables

NDJSON = {"content-type": "application/x-ndjson"}
LINES = b'{"prompt": "Say hello", "max_tokens": 9}\n{"turns": ["one", "two"]}\n'
Json = dict[str, Any]


async def add(
    api: httpx2.AsyncClient, content: bytes = LINES, status: int = 201, headers: Json | None = None, **query: Any
) -> Json:
    response = await api.post(
        "/datasets", params={"name": "chats", "format": "jsonl", **query}, content=content, headers=headers or NDJSON
    )
    assert response.status_code == status, response.text
    document: Json = response.json()
    assert response.headers["location"] == f"/datasets/{document['id']}"
    return document


async def refused(api: httpx2.AsyncClient, content: bytes, status: int = 422, **query: Any) -> Json:
    response = await api.post(
        "/datasets", params={"name": "x", "format": "jsonl", **query}, content=content, headers=NDJSON
    )
    return problem(response, status)


def lines(document: Json) -> list[str]:
    return [error["field"] for error in document["errors"]]


async def test_a_file_is_stored_and_shown_with_its_facts(api: httpx2.AsyncClient) -> None:
    document = await add(api)
    assert document["sha256"] == hashlib.sha256(LINES).hexdigest()
    assert (document["size_bytes"], document["rows"], document["turns"]) == (len(LINES), 2, 3)
    assert (document["conversations"], document["left_out"], document["kind"]) == (1, {}, "prompts")
    assert (document["output_tokens"]["max"], document["token_source"]) == (9, "estimate")
    assert document["input_tokens"]["count"] == 2
    path = f"/datasets/{document['id']}"
    assert (await api.get(path)).json() == document
    assert (await api.get("/datasets")).json() == {"items": [document], "next_cursor": None}
    first, second = (await api.get(f"{path}/rows")).json()["items"]
    assert first["turns"] == [{"text": "Say hello", "max_tokens": 9, "think_s": 0.0}]
    assert [turn["text"] for turn in second["turns"]] == ["one", "two"]
    head = await api.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_the_same_file_is_stored_once_and_another_reading_of_it_again(api: httpx2.AsyncClient) -> None:
    first = await add(api)
    assert await add(api, status=200, name="another name") == first
    table = b"prompt,q\na,b\n"
    one = await add(api, table, format="csv")
    other = await add(api, table, format="csv", column="q")
    assert one["sha256"] == other["sha256"]
    assert len({first["id"], one["id"], other["id"]}) == 3
    assert other["options"] == {"column": "q"}


async def test_a_trace_is_shown_with_times_and_lengths(sqlite_api: httpx2.AsyncClient) -> None:
    content = b"Timestamp,Request tokens,Response tokens\n5,472,18\n6,1,0\n7.5,3,4\n"
    document = await add(sqlite_api, content, format="burstgpt", headers={"content-type": "text/csv; charset=utf-8"})
    assert (document["kind"], document["rows"], document["span_s"]) == ("trace", 2, 2.5)
    assert (document["left_out"], document["token_source"]) == ({"failed_request": 1}, "trace")
    rows = (await sqlite_api.get(f"/datasets/{document['id']}/rows")).json()["items"]
    assert [(row["at_s"], row["input_tokens"], row["output_tokens"], row["turns"]) for row in rows] == [
        (5.0, 472, 18, None),
        (7.5, 3, 4, None),
    ]


async def test_lists_go_on_by_their_cursors(sqlite_api: httpx2.AsyncClient) -> None:
    ids = [(await add(sqlite_api, b'{"prompt": "%d"}' % number))["id"] for number in range(3)]
    assert [item["id"] for item in await pages(sqlite_api, "/datasets", limit=2)] == ids[::-1]
    content = b"".join(b'{"prompt": "%d"}\n' % number for number in range(25))
    path = f"/datasets/{(await add(sqlite_api, content))['id']}/rows"
    assert [row["row"] for row in await pages(sqlite_api, path, limit=10)] == list(range(25))
    # The end of a cursor that no list has given.
    assert (await sqlite_api.get(path, params={"cursor": "Wzk5OTk5OTk5OTk5OTk5XQ"})).json()["items"] == []
    problem(await sqlite_api.get(path, params={"cursor": "x"}), 422)


async def test_a_dataset_is_deleted(sqlite_api: httpx2.AsyncClient) -> None:
    path = f"/datasets/{(await add(sqlite_api))['id']}"
    assert (await sqlite_api.delete(path)).status_code == 204
    for method, where in (("GET", path), ("GET", f"{path}/rows"), ("DELETE", path)):
        assert problem(await sqlite_api.request(method, where), 404)["code"] == "not_found"


async def test_a_gzipped_file_is_the_file(sqlite_api: httpx2.AsyncClient) -> None:
    packed = {**NDJSON, "content-encoding": "gzip"}
    document = await add(sqlite_api, gzip.compress(LINES), headers=packed)
    assert document["sha256"] == hashlib.sha256(LINES).hexdigest()
    assert await add(sqlite_api, status=200) == document


async def test_a_file_that_unpacks_to_more_than_the_limit_is_stopped(sqlite_api: httpx2.AsyncClient) -> None:
    bomb = gzip.compress(b"\n" * (MAX_DATASET_BYTES + 1_000_000))
    headers = {**NDJSON, "content-encoding": "gzip"}
    query = {"name": "x", "format": "jsonl"}
    document = problem(await sqlite_api.post("/datasets", params=query, content=bomb, headers=headers), 413)
    assert (document["code"], document["detail"]) == ("body_too_large", "the file is larger than 64,000,000 bytes")


@pytest.mark.parametrize("packed", [b"no gzip", gzip.compress(LINES)[:-9], gzip.compress(LINES) + b"x"])
async def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in packed:
            yield bytes([byte])

    with pytest.raises(InvalidRequest, match="body: "):
        await receive(pieces(), io.BytesIO(), 1_000, gzipped=True)


async def test_gzip_may_have_several_parts_and_is_bounded_at_any_boundary() -> None:
    packed = gzip.compress(b"a" * 600) + gzip.compress(b"b" * 400)

    async def pieces() -> AsyncIterator[bytes]:
        for byte in packed:
            yield bytes([byte])

    upload = await receive(pieces(), io.BytesIO(), 1_000, gzipped=True)
    assert (upload.size, upload.file.read()) == (1_000, b"a" * 600 + b"b" * 400)
    with pytest.raises(BodyTooLarge):
        await receive(pieces(), io.BytesIO(), 999, gzipped=True)


async def test_wrong_lines_have_their_numbers_and_nothing_is_stored(sqlite_api: httpx2.AsyncClient) -> None:
    content = b'{"prompt": "a"}\n{"prompt": "\xff"}\n{"x": 1}\n{"prompt": "\\u0000"}\n' + b"x\n" * 50
    document = await refused(sqlite_api, content)
    assert lines(document) == [f"line {number}" for number in range(2, 22)]
    assert {error["code"] for error in document["errors"]} == {"invalid_row"}
    assert (await sqlite_api.get("/datasets")).json()["items"] == []


@pytest.mark.parametrize(
    ("content", "file_format", "message"),
    [
        (b"", "jsonl", "body: the file has no rows"),
        (b'{"prompt": "a", "x": ' + b"[" * 1_000_000, "jsonl", "line 1: is nested too deeply"),
        (b'{"prompt": "' + b"a" * 5_000_000, "jsonl", "line 1: is longer than 4,000,000 bytes"),
        (b"prompt" + b"," * 3_900_000, "csv", "line 1: has 3,900,001 columns; at most 1,000 are read"),
        (b'prompt\n"' + b"\n" * 5_000_000, "csv", "in a record of more than 4,000,000 bytes"),
        (b"[" * 5_000_000, "sharegpt", "line 1: begins an item of more than 4,000,000 bytes"),
        (b"[" + b"{}," * 1_000_000 + b"{}]", "sharegpt", "line 1: object missing required field conversations"),
        (b"\x00" * 100_000, "mooncake", "line 1: is not JSON"),
        (b"\xff\xfe" + "prompt\na\n".encode("utf-16-le"), "csv", "line 1: is not valid UTF-8"),
    ],
)
async def test_a_hostile_file_is_refused_with_its_line(
    sqlite_api: httpx2.AsyncClient, content: bytes, file_format: str, message: str
) -> None:
    assert message in (await refused(sqlite_api, content, format=file_format))["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xml"}, "format"),
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"column": "x"}, "column"),
        ({"format": "sharegpt", "max_pairs": 0}, "max_pairs"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_wrong_parameters_are_named(sqlite_api: httpx2.AsyncClient, query: Json, field: str) -> None:
    assert lines(await refused(sqlite_api, LINES, **query)) == [field]


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": "application/x-www-form-urlencoded"}, {**NDJSON, "content-encoding": "br"}],
)
async def test_other_types_and_encodings_are_refused(sqlite_api: httpx2.AsyncClient, headers: Json) -> None:
    response = await sqlite_api.post(
        "/datasets", params={"name": "x", "format": "jsonl"}, content=LINES, headers=headers
    )
    assert problem(response, 415)["code"] == "unsupported_media_type"


async def test_only_so_many_files_arrive_at_once(sqlite_api: httpx2.AsyncClient) -> None:
    release, begun = asyncio.Event(), 0

    async def slow(number: int) -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        yield b'{"prompt": "%d"}\n' % number
        await release.wait()

    def send(number: int) -> asyncio.Task[httpx2.Response]:
        query = {"name": "x", "format": "jsonl"}
        return asyncio.create_task(sqlite_api.post("/datasets", params=query, content=slow(number), headers=NDJSON))

    running = [send(number) for number in range(UPLOADS_AT_ONCE)]
    while begun < UPLOADS_AT_ONCE:
        await asyncio.sleep(0)
    # Their handlers run before that of a later request.
    await sqlite_api.get("/health")
    response = await sqlite_api.post(
        "/datasets", params={"name": "x", "format": "jsonl"}, content=LINES, headers=NDJSON
    )
    assert problem(response, 503)["code"] == "service_unavailable"
    assert response.headers["retry-after"] == "1"
    release.set()
    assert [(await task).status_code for task in running] == [201] * UPLOADS_AT_ONCE
    await add(sqlite_api)


async def test_sharegpt_says_what_it_left_out(sqlite_api: httpx2.AsyncClient) -> None:
    def talk(*texts: str) -> Json:
        said = zip(("human", "gpt") * len(texts), texts, strict=False)
        return {"conversations": [{"from": speaker, "value": text} for speaker, text in said]}

    long = "Tell me something about the sea and its tides, please."
    content = json.dumps([talk(long, long), talk(long), talk("hi", long), talk(long, "hi")]).encode()
    document = await add(sqlite_api, content, format="sharegpt", headers={"content-type": "application/json"})
    assert document["rows"] == 1
    assert document["left_out"] == {"too_few_turns": 1, "prompt_too_short": 1, "answer_too_short": 1}
    (row,) = (await sqlite_api.get(f"/datasets/{document['id']}/rows")).json()["items"]
    assert row["turns"][0]["max_tokens"] == document["output_tokens"]["max"]


def sending(source: str, **reference: Any) -> Json:
    """The body of a benchmark that sends a dataset or a trace."""
    workload = {"source": source, source: reference}
    return {"name": "x", "model": "sim", "workload": workload, "load": {"concurrency": 1, "requests": 3}}


async def test_a_benchmark_keeps_its_dataset_and_is_stored_with_id_and_hash(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    document = await add(api)
    path = f"/datasets/{document['id']}"
    for reference in ({"id": document["id"]}, {"sha256": document["sha256"]}):
        submitted = await api.post("/benchmarks", json=sending("dataset", **reference))
        spec, _ = await tables.benchmarks.spec(submitted.json()["id"])
        assert spec.workload is not None
        assert spec.workload.dataset == DatasetSource(id=document["id"], sha256=document["sha256"], rows=2, turns=3)
    refusal = problem(await api.delete(path), 409)
    assert refusal["detail"] == f"dataset {document['id']} is used by open benchmarks: 1, 2"
    for number in (1, 2):
        await api.post(f"/benchmarks/{number}/cancel")
    assert (await api.delete(path)).status_code == 204
    assert lines(problem(await api.post("/benchmarks/1/rerun"), 422)) == ["workload.dataset"]


async def test_a_benchmark_names_a_dataset_of_the_right_kind(sqlite_api: httpx2.AsyncClient) -> None:
    document = await add(sqlite_api)
    for source, reference, code in (
        ("dataset", {"id": 99}, "unknown_dataset"),
        ("dataset", {"id": document["id"], "sha256": "0" * 64}, "unknown_dataset"),
        ("trace", {"id": document["id"]}, "wrong_dataset"),
    ):
        for where in ("/benchmarks", "/benchmarks/estimate"):
            (error,) = problem(await sqlite_api.post(where, json=sending(source, **reference)), 422)["errors"]
            assert (error["field"], error["code"]) == (f"workload.{source}", code)


async def test_benchmarks_without_a_workload_keep_no_dataset(sqlite_api: httpx2.AsyncClient) -> None:
    """The query of a deletion reads the specs of open benchmarks, which need not have a workload."""
    document = await add(sqlite_api)
    await submit(sqlite_api)
    assert (await sqlite_api.delete(f"/datasets/{document['id']}")).status_code == 204
