"""What every adapter must do, whatever its protocol's bytes look like."""

from dataclasses import dataclass
from typing import Any

import pytest

from shared.benchmark.record import RequestError
from shared.benchmark.spec import Parameters
from tests.support.scripted import cut
from tests.support.streams import (
    anthropic_stream,
    anthropic_text,
    message_delta,
    message_start,
    openai_chunk,
    openai_stream,
    openai_text,
    sse,
)
from tests.worker.engine.measuring import adapter, measure


@dataclass(frozen=True)
class Dialect:
    """The same story in one protocol's bytes."""

    protocol: str
    whole: bytes
    three_deltas: bytes
    error: bytes
    finish_without_end: bytes
    empty: bytes
    only_preamble: bytes
    json_answer: bytes
    json_error: bytes


ANTHROPIC = Dialect(
    protocol="anthropic",
    whole=anthropic_stream("Hello", " there,", " grüße 🚀", start={"input_tokens": 10}, end={"output_tokens": 5}),
    three_deltas=sse(message_start(), *anthropic_text("a", "b", "c"), named=True),
    error=sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, named=True),
    finish_without_end=sse(message_start(), *anthropic_text("a"), message_delta(output_tokens=1), named=True),
    empty=anthropic_stream(end={"output_tokens": 1}),
    only_preamble=sse(message_start(), {"type": "ping"}, named=True),
    json_answer=b'{"type":"message","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn",'
    b'"usage":{"input_tokens":10,"output_tokens":5}}',
    json_error=b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
)
OPENAI = Dialect(
    protocol="openai",
    whole=openai_stream(
        "Hello", " there,", " grüße 🚀", usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    ),
    three_deltas=sse(openai_chunk({"role": "assistant", "content": ""}), *openai_text("a", "b", "c")),
    error=sse({"error": {"message": "Overloaded", "type": "overloaded_error", "code": None}}),
    finish_without_end=openai_stream("a", done=False),
    empty=openai_stream(usage={"prompt_tokens": 10, "completion_tokens": 0}),
    only_preamble=sse(openai_chunk({"role": "assistant", "content": ""})),
    json_answer=b'{"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":5}}',
    json_error=b'{"error":{"message":"Overloaded","type":"overloaded_error"}}',
)

every_dialect = pytest.mark.parametrize("dialect", [ANTHROPIC, OPENAI], ids=lambda dialect: dialect.protocol)


@every_dialect
@pytest.mark.parametrize("size", [1, 3, 7, 64, 10_000])
async def test_a_stream_reads_the_same_wherever_it_is_cut(dialect: Dialect, size: int) -> None:
    script = [(100 + index, piece) for index, piece in enumerate(cut(dialect.whole, size))]
    record = measure(dialect.protocol, script)
    assert (record.outcome, record.response) == ("succeeded", "Hello there, grüße 🚀")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (10, 5)
    assert record.error is None


@every_dialect
async def test_an_error_event_inside_a_200_is_an_error_with_the_partial_text(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.three_deltas), (20, dialect.error)])
    assert record.outcome == "errored"
    assert record.response == "abc"
    assert record.error == RequestError("overloaded", "Overloaded", "mid_stream", provider_code="overloaded_error")


@every_dialect
async def test_an_error_event_before_content_says_so(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.only_preamble), (20, dialect.error)])
    assert record.error is not None
    assert (record.outcome, record.error.phase) == ("errored", "before_first_token")


@every_dialect
async def test_an_end_without_terminal_evidence_is_truncated(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.three_deltas)])
    assert record.outcome == "truncated"
    assert record.response == "abc"
    assert record.error is not None
    assert (record.error.kind, record.error.phase) == ("truncated", "mid_stream")
    assert record.usage.output_tokens is None


@every_dialect
async def test_a_stream_cut_inside_an_event_is_truncated_not_malformed(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.three_deltas + dialect.whole[:70])])
    assert record.outcome == "truncated"


@every_dialect
async def test_a_finish_reason_is_enough_where_the_end_event_never_comes(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.finish_without_end)])
    assert record.outcome == "succeeded"
    assert "no_terminal_event" in record.flags


@every_dialect
async def test_an_empty_answer_with_a_finish_reason_succeeds_without_numbers(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.empty)])
    assert record.outcome == "succeeded"
    for name in ("response", "ttft_ms", "ttfat_ms", "latency_ms", "tokens_per_second", "tpot_ms", "max_stall_ms"):
        assert getattr(record, name) is None, name


@every_dialect
async def test_preamble_events_are_not_tokens(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, dialect.only_preamble), (250, dialect.three_deltas)])
    assert (record.ttfb_ms, record.ttft_ms) == (10, 250)


@every_dialect
async def test_a_plain_json_answer_is_understood_and_flagged(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(50, dialect.json_answer)], content_type="application/json")
    assert (record.outcome, record.response, record.usage.output_tokens) == ("succeeded", "Hello", 5)
    assert {"not_streamed", "buffered"} <= set(record.flags)
    assert record.tokens_per_second is None


@every_dialect
async def test_a_200_whose_json_is_an_error_is_an_error(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(50, dialect.json_error)], content_type="application/json")
    assert record.outcome == "errored"
    assert record.error is not None
    assert record.error.kind == "overloaded"


@every_dialect
async def test_bytes_that_are_not_the_protocol_are_an_error_not_a_crash(dialect: Dialect) -> None:
    record = measure(dialect.protocol, [(10, b"data: <html>\n\ndata: 17\n\n")])
    assert record.outcome == "errored"
    assert record.error is not None
    assert record.error.kind == "malformed_event"


@every_dialect
async def test_text_that_no_database_holds_is_replaced_and_flagged(dialect: Dialect) -> None:
    texts = anthropic_stream("a\x00b") if dialect is ANTHROPIC else openai_stream("a\x00b")
    lone = texts.replace(b"a\\u0000b", b"a\\u0000b\\ud83d")
    record = measure(dialect.protocol, [(10, lone)])
    assert record.response == "a\ufffdb\ufffd"
    assert "unstorable_text_replaced" in record.flags


@every_dialect
def test_a_body_asks_for_a_stream_and_carries_the_parameters(dialect: Dialect) -> None:
    body: dict[str, Any] = adapter(dialect.protocol).body(
        "m", [{"role": "user", "content": "hi"}], "Be brief.", Parameters(max_tokens=9, temperature=0.5, stop=("x",))
    )
    assert body["stream"] is True
    assert body["model"] == "m"
    assert (body["max_tokens"], body["temperature"]) == (9, 0.5)
    assert body["stop_sequences" if dialect is ANTHROPIC else "stop"] == ["x"]
    assert "Be brief." in str(body)
