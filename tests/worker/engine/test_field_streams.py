"""Protocol cases that people met in other tools, each with the value that is right."""

import json

import pytest

from shared.benchmark.record import RequestError
from shared.numbers.metrics import MEASURED
from tests.support.streams import (
    OPENAI_USAGE,
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


async def test_an_empty_delta_and_an_empty_choices_list_are_no_tokens() -> None:
    stream = sse(*openai_text("Hi"), openai_chunk({}), openai_chunk({}, "stop"), OPENAI_USAGE, "[DONE]")
    record = measure("openai", [(100, sse(openai_chunk({"role": "assistant"}))), (150, stream)])
    assert (record.outcome, record.response, record.ttft_ms, record.latency_ms) == ("succeeded", "Hi", 150, 150)
    assert record.usage.output_tokens == 5


async def test_a_record_has_each_measured_metric() -> None:
    for script in ([], [(100, openai_stream("Hi"))]):
        assert set(measure("openai", script).metrics) == set(MEASURED)


async def test_reasoning_is_the_first_token_and_the_answer_comes_later() -> None:
    thought = sse(openai_chunk({"reasoning_content": "Let me think"}))
    record = measure("openai", [(200, thought), (1200, openai_stream("Yes", usage={"completion_tokens": 9}))])
    assert (record.ttft_ms, record.metrics["ttfat_ms"], record.latency_ms) == (200, 1200, 1200)
    assert (record.reasoning, record.response) == ("Let me think", "Yes")


async def test_anthropic_thinking_is_the_first_token_and_its_signature_is_none() -> None:
    def block(**delta: str) -> dict[str, object]:
        return {"type": "content_block_delta", "index": 0, "delta": delta}

    script = [
        (50, sse(message_start(), named=True)),
        (300, sse(block(type="thinking_delta", thinking="Hm"), named=True)),
        (500, sse(block(type="signature_delta", signature="c2ln"), named=True)),
        (900, sse(*anthropic_text("Yes"), message_delta(output_tokens=7), {"type": "message_stop"}, named=True)),
    ]
    record = measure("anthropic", script)
    assert (record.ttft_ms, record.metrics["ttfat_ms"], record.latency_ms) == (300, 900, 900)
    assert record.reasoning == "Hm"


async def test_a_tool_call_is_an_answer() -> None:
    calls = [{"index": 0, "function": {"name": "get_weather", "arguments": ""}}]
    more = [{"index": 0, "function": {"arguments": '{"city"'}}]
    script = [
        (80, sse(openai_chunk({"tool_calls": calls}))),
        (90, sse(openai_chunk({"tool_calls": more}), openai_chunk({}, "tool_calls"), "[DONE]")),
    ]
    record = measure("openai", script)
    assert (record.outcome, record.metrics["ttfat_ms"], record.latency_ms) == ("succeeded", 80, 90)
    assert record.response == 'get_weather{"city"'


async def test_time_per_token_comes_from_usage_not_from_events() -> None:
    pieces = [(100 + 40 * index, sse(*openai_text("four tokens in one"))) for index in range(4)]
    end = sse(openai_chunk({}, "stop"), openai_chunk(None, usage={"completion_tokens": 16}), "[DONE]")
    record = measure("openai", [*pieces, (221, end)])
    assert record.metrics["tpot_ms"] == pytest.approx(120 / 15)
    assert record.metrics["tokens_per_second"] == pytest.approx(16 / 120 * 1000)
    assert record.metrics["max_stall_ms"] == 40


async def test_anthropic_usage_is_cumulative_and_nothing_is_added_up() -> None:
    record = measure("anthropic", [(10, anthropic_stream("a", "b", end={"output_tokens": 15}))])
    assert (record.usage.input_tokens, record.usage.output_tokens) == (25, 15)


async def test_the_last_value_of_each_usage_field_wins() -> None:
    stream = sse(
        message_start(input_tokens=25, output_tokens=1),
        *anthropic_text("a"),
        message_delta(None, output_tokens=4),
        message_delta("end_turn", input_tokens=27, output_tokens=15, cache_read_input_tokens=3),
        {"type": "message_stop"},
        named=True,
    )
    usage = (measure("anthropic", [(10, stream)])).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (27, 15, 3)


async def test_usage_in_every_chunk_counts_once() -> None:
    chunks = [
        openai_chunk({"content": "x"}, usage={"prompt_tokens": 10, "completion_tokens": count}) for count in (1, 2, 3)
    ]
    record = measure("openai", [(10, sse(*chunks, openai_chunk({}, "stop"), "[DONE]"))])
    assert (record.usage.input_tokens, record.usage.output_tokens) == (10, 3)


async def test_missing_usage_is_unknown_and_chunks_are_not_counted() -> None:
    record = measure("openai", [(10, openai_stream("a", "b", "c"))])
    assert record.outcome == "succeeded"
    assert record.usage.output_tokens is None
    assert "usage_missing" in record.flags


async def test_zero_tokens_is_a_value() -> None:
    record = measure("openai", [(10, openai_stream(usage={"prompt_tokens": 10, "completion_tokens": 0}))])
    assert record.usage.output_tokens == 0
    assert "usage_missing" not in record.flags


async def test_a_one_token_answer_has_no_speed() -> None:
    record = measure("openai", [(10, openai_stream("Hi", usage={"completion_tokens": 1}))])
    assert (record.ttft_ms, record.latency_ms) == (10, 10)
    assert [record.metrics[name] for name in ("tokens_per_second", "tpot_ms", "max_stall_ms")] == [None, None, None]
    assert "buffered" not in record.flags


async def test_an_answer_in_one_read_is_buffered_and_has_no_speed() -> None:
    record = measure("openai", [(10, openai_stream("a", "b", "c", usage={"completion_tokens": 3}))])
    assert "buffered" in record.flags
    assert record.metrics["tokens_per_second"] is None


async def test_hidden_reasoning_and_an_ignored_limit_are_flagged() -> None:
    usage = {"completion_tokens": 150, "completion_tokens_details": {"reasoning_tokens": 120}}
    record = measure("openai", [(10, openai_stream("Hi", usage=usage))])
    assert record.usage.reasoning_tokens == 120
    assert {"reasoning_hidden", "max_tokens_ignored"} <= set(record.flags)


async def test_done_alone_is_no_answer() -> None:
    record = measure("openai", [(10, sse(openai_chunk({"role": "assistant"}), "[DONE]"))])
    assert record.error is not None
    assert (record.outcome, record.error.kind) == ("errored", "empty_answer")


async def test_openai_cached_tokens_stand_inside_the_input() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}}
    counted = (measure("openai", [(10, openai_stream("Hi", usage=usage))])).usage
    assert (counted.input_tokens, counted.cache_read_tokens, counted.uncached_input_tokens) == (100, 60, 40)


async def test_anthropic_cached_tokens_stand_beside_the_input() -> None:
    end = {"input_tokens": 40, "output_tokens": 5, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 7}
    counted = (measure("anthropic", [(10, anthropic_stream("Hi", end=end))])).usage
    assert (counted.input_tokens, counted.cache_read_tokens, counted.cache_write_tokens) == (40, 60, 7)
    assert counted.uncached_input_tokens == 40


@pytest.mark.parametrize(
    ("protocol", "begun", "error"),
    [
        (
            "anthropic",
            sse(message_start(), *anthropic_text("abc"), named=True),
            sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, named=True),
        ),
        (
            "openai",
            sse(*openai_text("abc")),
            sse({"error": {"message": "Overloaded", "type": "overloaded_error", "code": None}}),
        ),
    ],
)
async def test_an_error_inside_a_stream_keeps_the_providers_words(protocol: str, begun: bytes, error: bytes) -> None:
    record = measure(protocol, [(10, begun), (20, error)])
    assert (record.outcome, record.response) == ("errored", "abc")
    assert record.error == RequestError("overloaded", "Overloaded", "mid_stream", provider_code="overloaded_error")


async def test_a_document_without_a_type_is_no_whole_message() -> None:
    """An event without a name is called `message`, like a whole answer."""
    record = measure("anthropic", [(10, sse(message_start(), *anthropic_text("Hi"), {"x": 1}))])
    assert (record.outcome, record.response) == ("truncated", "Hi")


async def test_a_blank_error_in_a_choice_is_none() -> None:
    chunk = openai_chunk({"content": "Hi"})
    chunk["choices"][0]["error"] = " "
    record = measure("openai", [(10, sse(chunk, openai_chunk({}, "stop"), "[DONE]"))])
    assert (record.outcome, record.response) == ("succeeded", "Hi")


async def test_a_finish_reason_that_means_failure_is_stored_as_a_short_code() -> None:
    reason = "error\x00\ud83d" + "x" * 1_000
    record = measure("openai", [(10, sse(openai_chunk({}, "error")).replace(b'"error"', json.dumps(reason).encode()))])
    assert record.error is not None
    assert record.error.provider_code == "error\ufffd\ufffd" + "x" * 193


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        (
            "anthropic",
            (
                b'{"type":"message","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn",'
                b'"usage":{"input_tokens":10,"output_tokens":5}}'
            ),
        ),
        (
            "openai",
            (
                b'{"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],'
                b'"usage":{"prompt_tokens":10,"completion_tokens":5}}'
            ),
        ),
    ],
)
async def test_a_server_that_ignores_stream_is_understood(protocol: str, answer: bytes) -> None:
    record = measure(protocol, [(50, answer)], content_type="application/json")
    assert (record.outcome, record.response) == ("succeeded", "Hello")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (10, 5)


def test_a_server_without_stream_options_is_asked_once_without_and_remembered() -> None:
    openai = adapter("openai")
    body = {"model": "m", "stream_options": {"include_usage": True}}
    assert openai.current_body(body) == body
    refused = RequestError("invalid_request", "Unrecognized field: stream_options", "before_first_token", 400)
    assert openai.retry_body(body, refused) == {"model": "m"}
    # A request of the same run that was already under way is mended too, whatever the server says now.
    assert openai.retry_body(body, RequestError("invalid_request", "bad", "before_first_token", 400)) == {"model": "m"}
    assert openai.retry_body({"model": "m"}, refused) is None
    assert openai.current_body(body) == {"model": "m"}


@pytest.mark.parametrize(
    ("status", "message"), [(400, "max_tokens is too large"), (429, "slow down: stream_options"), (500, "oops")]
)
def test_no_other_error_is_sent_again(status: int, message: str) -> None:
    body = {"model": "m", "stream_options": {"include_usage": True}}
    error = RequestError("x", message, "before_first_token", status)
    assert adapter("openai").retry_body(body, error) is None
