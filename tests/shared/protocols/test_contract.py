"""What every registered protocol must do. The bytes come from the simulator, which speaks them all.

What is special about one protocol is tested in `tests/e2e/field/cases`, with bytes from the field.
"""

from typing import Any

import orjson
import pytest

from shared.benchmark.prompt import Parameters
from shared.benchmark.results.record import RequestError, ResultRecord
from shared.protocols.events import Finish
from shared.protocols.registry import PROTOCOLS
from tests.support.servers.scripted import cut
from tests.support.spoken import INPUT_TOKENS, spoken
from tests.worker.engine.measuring import adapter, measure

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)

# A value for each parameter that every protocol which has the parameter takes.
VALUES: dict[str, Any] = {
    "max_tokens": 4_000,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 40,
    "stop": ("x",),
    "seed": 42,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "reasoning_effort": "low",
    "thinking_budget_tokens": 2_048,
    "service_tier": "flex",
}
MESSAGES = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "yes?"},
    {"role": "user", "content": "?"},
]


def measured(protocol: str, *reads: tuple[float, bytes], content_type: str | None = None) -> ResultRecord:
    """The record of an answer whose reads come at these milliseconds."""
    return measure(protocol, list(reads), content_type or spoken(protocol).content_type)


def body_of(protocol: str, parameters: Parameters, system: str | None = None) -> dict[str, Any]:
    return adapter(protocol).body("some-model", MESSAGES, system, parameters)


@every_protocol
@pytest.mark.parametrize("size", [1, 3, 7, 64, 10_000])
async def test_a_stream_reads_the_same_wherever_it_is_cut(protocol: str, size: int) -> None:
    stream = spoken(protocol).stream("Hello", " there,", " grüße 🚀", output_tokens=5)
    record = measured(protocol, *[(100 + index, piece) for index, piece in enumerate(cut(stream, size))])
    assert (record.outcome, record.response) == ("succeeded", "Hello there, grüße 🚀")
    assert (record.usage.input_tokens, record.usage.output_tokens) == (INPUT_TOKENS, 5)
    assert record.usage.uncached_input_tokens == INPUT_TOKENS
    assert record.finish_reason is not None
    assert record.error is None
    assert "no_terminal_event" not in record.flags


@every_protocol
async def test_an_error_event_inside_a_200_is_an_error_with_the_partial_text(protocol: str) -> None:
    speech = spoken(protocol)
    begun = speech.preamble() + speech.deltas("a", "b", "c")
    record = measured(protocol, (10, begun), (20, speech.error_event()))
    assert (record.outcome, record.response) == ("errored", "abc")
    assert record.error is not None
    assert record.error.kind in ("overloaded", "server_error")
    assert record.error.message
    assert record.error.provider_code
    assert record.error.phase == "mid_stream"


@every_protocol
async def test_an_error_event_before_content_says_so(protocol: str) -> None:
    speech = spoken(protocol)
    record = measured(protocol, (10, speech.preamble()), (20, speech.error_event()))
    assert record.error is not None
    assert (record.outcome, record.error.phase) == ("errored", "before_first_token")


@every_protocol
async def test_an_end_without_terminal_evidence_is_truncated(protocol: str) -> None:
    speech = spoken(protocol)
    record = measured(protocol, (10, speech.preamble() + speech.deltas("a", "b", "c")))
    assert (record.outcome, record.response) == ("truncated", "abc")
    assert record.error is not None
    assert (record.error.kind, record.error.phase) == ("truncated", "mid_stream")
    assert record.usage.output_tokens is None


@every_protocol
async def test_a_stream_cut_inside_an_event_is_truncated_not_malformed(protocol: str) -> None:
    speech = spoken(protocol)
    begun, rest = speech.preamble() + speech.deltas("a", "b", "c"), speech.deltas("d")
    record = measured(protocol, (10, begun + rest[: len(rest) // 2]))
    assert (record.outcome, record.response) == ("truncated", "abc")


@every_protocol
async def test_a_finish_reason_is_enough_where_the_end_event_never_comes(protocol: str) -> None:
    """Where the last event carries the finish reason itself, the answer is cut short."""
    stream = spoken(protocol).without_last_event("a")
    finished = any(isinstance(event, Finish) for event in adapter(protocol).decoder({}).feed(stream))
    record = measured(protocol, (10, stream))
    assert record.outcome == ("succeeded" if finished else "truncated")
    assert ("no_terminal_event" in record.flags) == finished


@every_protocol
async def test_an_empty_answer_with_a_finish_reason_succeeds_without_numbers(protocol: str) -> None:
    record = measured(protocol, (10, spoken(protocol).stream()))
    assert record.outcome == "succeeded"
    assert record.response is None
    for name in ("ttft_ms", "ttfat_ms", "latency_ms", "tokens_per_second", "tpot_ms", "max_stall_ms"):
        assert record.metrics[name] is None, name


@every_protocol
async def test_preamble_events_are_not_tokens(protocol: str) -> None:
    speech = spoken(protocol)
    record = measured(protocol, (10, speech.preamble() or speech.wire.keep_alive), (250, speech.deltas("a", "b")))
    assert (record.metrics["ttfb_ms"], record.ttft_ms) == (10, 250)


@every_protocol
async def test_bytes_that_keep_a_stream_alive_are_no_tokens(protocol: str) -> None:
    speech = spoken(protocol)
    record = measured(protocol, (10, speech.wire.keep_alive), (250, speech.stream("a", "b")))
    assert (record.outcome, record.response, record.ttft_ms) == ("succeeded", "ab", 250)


@every_protocol
async def test_a_plain_json_answer_is_understood_and_flagged(protocol: str) -> None:
    record = measured(protocol, (50, spoken(protocol).document("Hel", "lo")), content_type="application/json")
    assert (record.outcome, record.response, record.usage.output_tokens) == ("succeeded", "Hello", 2)
    assert {"not_streamed", "buffered"} <= set(record.flags)
    assert record.metrics["tokens_per_second"] is None


@every_protocol
@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limited"), (500, "server_error")])
async def test_a_200_whose_json_is_an_error_is_an_error(protocol: str, status: int, kind: str) -> None:
    answer = spoken(protocol).error_document(status)
    record = measured(protocol, (50, answer), content_type="application/json")
    assert record.outcome == "errored"
    assert record.error is not None
    assert record.error.kind == kind


@every_protocol
async def test_bytes_that_are_not_the_protocol_are_an_error_not_a_crash(protocol: str) -> None:
    record = measured(protocol, (10, b"data: <html>\n\ndata: 17\n\n"))
    assert record.outcome == "errored"
    assert record.error is not None
    assert record.error.kind == "malformed_event"


@every_protocol
async def test_text_that_no_database_holds_is_replaced_and_flagged(protocol: str) -> None:
    stream = spoken(protocol).stream("a\x00b")
    lone = stream.replace(b"a\\u0000b", b"a\\u0000b\\ud83d")
    assert lone != stream
    record = measured(protocol, (10, lone))
    assert record.response == "a\ufffdb\ufffd"
    assert "unstorable_text_replaced" in record.flags


@every_protocol
def test_a_body_asks_for_a_stream_and_carries_the_whole_prompt(protocol: str) -> None:
    body = body_of(protocol, Parameters(max_tokens=9), system="Be brief.")
    text = orjson.dumps(body).decode()
    assert body["stream"] is True
    assert body["model"] == "some-model"
    assert "Be brief." in text
    assert all(message["content"] in text for message in MESSAGES)


@every_protocol
@pytest.mark.parametrize("name", Parameters.model_fields)
def test_a_parameter_is_in_the_body_or_refused(protocol: str, name: str) -> None:
    """No parameter is dropped without a word."""
    base = Parameters(max_tokens=5_000)
    one = base.model_copy(update={name: VALUES[name]})
    changed = body_of(protocol, one) != body_of(protocol, base)
    errors = PROTOCOLS[protocol].parameter_errors("parameters", Parameters.model_validate({name: VALUES[name]}))
    assert changed == (name in PROTOCOLS[protocol].accepts)
    assert [error.field for error in errors] == ([] if changed else [f"parameters.{name}"])


@every_protocol
def test_a_value_above_the_protocols_maximum_is_refused(protocol: str) -> None:
    for name, most in PROTOCOLS[protocol].maxima.items():
        for value, codes in ((most, []), (most * 1.5, ["out_of_range"])):
            parameters = Parameters.model_construct(**{name: value})
            errors = PROTOCOLS[protocol].parameter_errors("parameters", parameters)
            assert [error.code for error in errors] == codes


@every_protocol
def test_a_planned_body_stays_as_it_is_until_the_server_refuses_a_part(protocol: str) -> None:
    speaking = adapter(protocol)
    body = body_of(protocol, Parameters(max_tokens=9))
    assert speaking.current_body(body) == body
    refused = RequestError("rate_limited", "slow down", "before_first_token", http_status=429)
    assert speaking.retry_body(body, refused) is None
    assert speaking.current_body(body) == body
