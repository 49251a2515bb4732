"""What decoders of all protocols have in common."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.support.streams import openai_chunk, openai_text, sse
from tests.worker.engine.measuring import measure
from tests.worker.engine.responses import ended, message


def cut_off(line: bytes) -> list[bytes]:
    """The beginnings of a line."""
    return [line[:size] for size in range(1, len(line))]


USAGE = {"prompt_tokens": 10, "completion_tokens": 5}


def test_usage_without_counts_may_state_a_cost() -> None:
    stated = openai_chunk({}, "stop", usage={"cost": 0.25})
    record = measure("openai", [(10, sse(*openai_text("Hi"), stated, "[DONE]"))])
    assert (record.provider_cost_usd, record.usage.output_tokens) == (Decimal("0.25"), None)


def test_usage_with_only_counts_out_of_range_is_flagged() -> None:
    stated = openai_chunk({}, "stop", usage={"prompt_tokens": -1, "completion_tokens": -1})
    record = measure("openai", [(10, sse(*openai_text("Hi"), stated, "[DONE]"))])
    assert "usage_out_of_range" in record.flags
    assert (record.usage.input_tokens, record.usage.output_tokens) == (None, None)


def test_documents_in_a_list_are_read_one_by_one() -> None:
    chunks = [*openai_text("Hi", " you"), openai_chunk({}, "stop", usage=USAGE)]
    record = measure("openai", [(10, b"data: [" + b",".join(map(orjson.dumps, chunks)) + b"]\n\n" + sse("[DONE]"))])
    assert (record.outcome, record.response, record.usage.output_tokens) == ("succeeded", "Hi you", 5)


@pytest.mark.parametrize("wrap", [b"data: data: ", b"data: data: data:", b" data: ", b"data: event: x\n\ndata: data: "])
def test_a_stream_whose_lines_were_wrapped_again_is_measured(wrap: bytes) -> None:
    texts = ["data: ", '{"error": "x"}', " failed"]
    chunks = [*map(orjson.dumps, [*openai_text(*texts), openai_chunk({}, "stop", usage=USAGE)]), b"[DONE]"]
    record = measure("openai", [(10 * number, wrap + chunk + b"\n\n") for number, chunk in enumerate(chunks, 1)])
    assert (record.outcome, record.response, record.usage.output_tokens) == ("succeeded", "".join(texts), 5)
    assert (record.ttft_ms, record.latency_ms) == (10, 30)


@pytest.mark.parametrize("between", [b"", b"data: "])
def test_chunks_in_one_data_line_are_read_one_by_one(between: bytes) -> None:
    chunks = [*map(orjson.dumps, [*openai_text("Hi", " you"), openai_chunk({}, "stop", usage=USAGE)]), b"[DONE]"]
    record = measure("openai", [(10, b"data: " + between.join(chunks) + b"\n\n")])
    assert (record.outcome, record.response, record.usage.output_tokens) == ("succeeded", "Hi you", 5)
    assert "events_unseparated" in record.flags


@pytest.mark.parametrize(
    "line", [": keep-alive timeout=15", ":error", "event: error", "id: failed", "retry: 15", '": timeout"']
)
def test_a_line_of_framing_inside_a_data_line_is_a_keep_alive(line: str) -> None:
    record = measure("openai", [(10, sse(line, *openai_text("Hi"), openai_chunk({}, "stop"), "[DONE]"))])
    assert (record.outcome, record.response) == ("succeeded", "Hi")
    assert "keep_alive_data" in record.flags


@pytest.mark.parametrize("piece", [*cut_off(b"data: [DONE]"), *cut_off(b'data: {"x": "a\tb"}data: [DONE]')])
def test_a_stream_that_ends_inside_a_line_is_truncated(piece: bytes) -> None:
    record = measure("openai", [(10, sse(*openai_text("Hi")) + piece)])
    assert (record.outcome, record.response) == ("truncated", "Hi")


NO_ERRORS = [None, "", "null", 0, False, {}, {"code": 0, "message": ""}, {"code": "200", "message": "success"}]


@pytest.mark.parametrize("error", NO_ERRORS, ids=str)
def test_an_error_without_anything_in_it_is_none(error: Any) -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop", "error": error}
    chunk = openai_chunk(None, usage=USAGE) | {"choices": [choice], "error": error, "x_groq": {"error": error}}
    record = measure("openai", [(10, sse(chunk, "[DONE]"))])
    assert (record.outcome, record.response) == ("succeeded", "Hi")
    response = {**ended(output=[message("Hi")]), "error": error}
    response["response"] |= {"error": error}
    record = measure("openai-responses", [(10, sse(response))])
    assert (record.outcome, record.response) == ("succeeded", "Hi")


def test_an_error_inside_a_200_says_how_long_to_wait() -> None:
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "no", "details": [{"retryDelay": "34.4s"}]}
    record = measure("openai", [(10, b"data: " + orjson.dumps([{"error": error}]) + b"\n\n")])
    assert record.error is not None
    assert (record.error.kind, record.error.retry_after_s) == ("rate_limited", 34.4)


@pytest.mark.parametrize(
    "body",
    [
        sse({"error": {"message": f"{'word ' * 398}to secret-key", "code": f"{'c' * 195}-secret-key"}}),
        sse({"error": {"message": "the key secret-key is wrong", "code": "secret-key"}}),
        sse("{" + "word " * 38 + "secret-key"),
        b"word " * 58 + b"to secret-key",
        b"<html><title>" + b"word " * 58 + b"to secret-key</title></html>",
        sse({"choices": [{"delta": {}, "error": f"{'word ' * 398}to secret-key"}]}),
        sse({"choices": [{"delta": {}, "finish_reason": f"error {'word ' * 37}secret-key"}]}),
    ],
    ids=["cut", "whole", "malformed", "words", "page", "choice", "finish reason"],
)
def test_no_key_is_left_in_a_failure_inside_a_200(body: bytes) -> None:
    record = measure("openai", [(10, body)], keys=["secret-key"])
    assert record.outcome == "errored"
    assert record.error is not None
    assert "secret" not in f"{record.error.message} {record.error.provider_code}"
