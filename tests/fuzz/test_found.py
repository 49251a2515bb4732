"""What the fuzzer found, made small."""

import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocols.json_values import document_at, load, may_break_off
from tests.fuzz.sent import Sent
from tests.fuzz.sent import measure as measure_sent
from tests.support.servers.scripted import cut
from tests.support.streams import anthropic_text, message_start, openai_chunk, sse
from tests.worker.engine.measuring import measure


async def test_a_document_without_a_type_is_no_whole_message() -> None:
    """An event without a name is called `message`, like a whole answer."""
    record = measure("anthropic", [(10, sse(message_start(), *anthropic_text("Hi"), {"x": 1}))])
    assert (record.outcome, record.response) == ("truncated", "Hi")


async def test_a_blank_error_in_a_choice_is_none() -> None:
    chunk = openai_chunk({"content": "Hi"})
    chunk["choices"][0]["error"] = " "
    record = measure("openai", [(10, sse(chunk, openai_chunk({}, "stop"), "[DONE]"))])
    assert (record.outcome, record.response) == ("succeeded", "Hi")


@pytest.mark.parametrize("begin", [b"", b"data: "])
async def test_a_body_that_only_looks_like_json_is_no_truncated_answer(begin: bytes) -> None:
    record = measure("openai", [(10, begin + b"{malformed json: <<<chaos>>>\n")], content_type="application/json")
    assert record.error is not None
    assert (record.outcome, record.error.kind) == ("errored", "malformed_event")
    assert "malformed json" in record.error.message


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=6))
def test_each_first_part_of_a_document_may_break_off(value: object) -> None:
    text = json.dumps({"a": value, "b\u00fc\ud83d": [value]})
    assert all(may_break_off(text[:size]) for size in range(1, len(text)))
    assert not may_break_off(text)
    assert not may_break_off(text + "x")


async def test_a_finish_reason_that_means_failure_is_stored_as_a_short_code() -> None:
    reason = "error\x00\ud83d" + "x" * 1_000
    record = measure("openai", [(10, sse(openai_chunk({}, "error")).replace(b'"error"', json.dumps(reason).encode()))])
    assert record.error is not None
    assert record.error.provider_code == "error\ufffd\ufffd" + "x" * 193


@pytest.mark.parametrize("left_out", [1, 2, 5])
@pytest.mark.parametrize("tail", [b"", b"\x00\xff\xff"])
async def test_what_a_broken_compressed_body_says_does_not_depend_on_its_reads(left_out: int, tail: bytes) -> None:
    """The words behind the document are no part of it, and its line has no end."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b'{"error":{"message":"model: m","type":"not_found_error"}} and more') + packer.flush()
    body = packed[:-left_out] + tail
    sent = Sent("broken", "openai", 200, (("content-encoding", "deflate"),), ((1, body),), "complete")
    at_once = measure_sent(sent)
    bytewise = measure_sent(replace(sent, reads=tuple((1, byte) for byte in cut(body, 1))))
    assert at_once.error == bytewise.error
    assert (at_once.error and at_once.error.kind) == "not_found"


@pytest.mark.parametrize(
    ("body", "size"), [(b"<\xf0\x9f", 1), ("<p>Später".encode(), 1), (b"<p>a" + "é".encode() * 8_000, 101)]
)
def test_what_an_html_page_says_does_not_depend_on_its_reads(body: bytes, size: int) -> None:
    """A read may end inside a character, and only the beginning of a page is kept."""
    sent = Sent("page", "openai", 200, (("content-type", "text/html"),), ((1, body),), "complete")
    at_once = measure_sent(sent)
    in_pieces = measure_sent(replace(sent, reads=tuple((1, piece) for piece in cut(body, size))))
    assert at_once.error == in_pieces.error
    assert (at_once.error and at_once.error.kind) == "not_an_answer"


@pytest.mark.parametrize("indented", [b' [],{"":null}]}', b'\t{"":null}]}'])
def test_a_document_that_goes_on_below_its_data_line_is_one_wherever_it_is_cut(indented: bytes) -> None:
    """A line of it may be a document by itself as far as it has come."""
    body = b'data:{"":[\n' + indented + b'\n\n{"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}'
    sent = Sent("below", "openai", 200, (("content-type", "text/event-stream"),), ((1, body),), "complete")
    at_once = measure_sent(sent)
    bytewise = measure_sent(replace(sent, reads=tuple((1, byte) for byte in cut(body, 1))))
    assert (at_once.outcome, at_once.response) == (bytewise.outcome, bytewise.response) == ("succeeded", "Hi")


@pytest.mark.parametrize("number", [2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**299])
def test_a_large_number_is_read_alike_by_both_parsers(number: int) -> None:
    """The second one reads documents that something follows."""
    assert document_at(f'{{"a":{number}}}{{', 0) == (load(f'{{"a":{number}}}'), len(str(number)) + 6)
