"""The record that a measured request becomes."""

import pytest

from shared.numbers.metrics import MEASURED
from tests.support.streams import (
    anthropic_text,
    message_delta,
    message_start,
    openai_chunk,
    openai_stream,
    openai_text,
    sse,
)
from tests.worker.engine.measuring import BEGAN, measure, measurement, part
from worker.engine.measurer import Measurement
from worker.engine.messages import End, Head


@pytest.mark.parametrize("script", [[], [(100, openai_stream("Hi"))]], ids=["nothing", "an answer"])
def test_a_record_has_each_measured_metric(script: list[tuple[float, bytes]]) -> None:
    assert set(measure("openai", script).metrics) == set(MEASURED)


def begun(answer: bytes) -> Measurement:
    """A request whose answer has begun to come and whose stream is open."""
    measured = measurement("openai")
    measured.take(part((100, answer), began=BEGAN, head=Head(200, {"content-type": "text/event-stream"})))
    assert measured.outcome is None
    return measured


FINISHED = sse(*openai_text("Hi"), openai_chunk({}, "stop"))


@pytest.mark.parametrize("answer", [FINISHED, openai_stream("Hi")], ids=["finish reason", "end event"])
def test_an_answer_that_has_ended_is_a_success_if_its_stream_is_closed_or_lost(answer: bytes) -> None:
    """The run may be cancelled, or the process die, while the server keeps the response open."""
    closed, lost = begun(answer), begun(answer)
    closed.take(part(end=End("closed", 300_000_000)))
    lost.lose("the process died")
    for record in (closed.record(), lost.record()):
        assert (record.outcome, record.error, record.response) == ("succeeded", None, "Hi")
        assert (record.ended_at - record.sent_at).total_seconds() == pytest.approx(0.1)


def test_an_answer_that_has_not_ended_is_cancelled_or_errored() -> None:
    closed, lost = begun(sse(*openai_text("Hi"))), begun(sse(*openai_text("Hi")))
    closed.take(part(end=End("closed", 300_000_000)))
    lost.lose("the process died")
    assert (closed.record().outcome, lost.record().outcome) == ("cancelled", "errored")


@pytest.mark.parametrize(("told_ns", "expected_ms"), [(250_000, 0.25), (None, None)])
def test_the_round_trip_of_the_network_is_that_of_the_requests_end(
    told_ns: int | None, expected_ms: float | None
) -> None:
    measured = begun(openai_stream("Hi"))
    measured.take(part(end=End("complete", 300_000_000, network_rtt_ns=told_ns)))
    assert measured.record().network_rtt_ms == expected_ms


def test_a_request_that_was_never_sent_is_dropped() -> None:
    measured = measurement("openai")
    measured.drop(5_000_000)
    record = measured.record()
    assert (record.outcome, record.error, record.metrics["queue_ms"]) == ("dropped", None, 5)
    assert (record.ttft_ms, record.latency_ms, record.usage.output_tokens) == (None, None, None)
    assert record.sent_at == record.ended_at


THOUGHT = "The user asks a sum. 17 + 25 is 42. "


@pytest.mark.parametrize(
    ("times", "billed", "shown"),
    [
        # Tags that are counted but not shown, prose, columns of digits, a part of the text, a summary.
        (0, 12, True),
        (1, 20, True),
        (100, 2_000, True),
        (100, 3_000, False),
        (1, 2_000, False),
    ],
)
def test_reasoning_that_is_too_short_for_its_tokens_is_a_summary(times: int, billed: int, shown: bool) -> None:
    """Anthropic does not say whether it summarises. The speed is then unknown."""
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": text}}
        for text in ("Hm.", THOUGHT * times)
        if text
    ]
    usage = {"output_tokens": billed + 100, "output_tokens_details": {"thinking_tokens": billed}}
    events = [message_start(), *deltas, *anthropic_text("Four", " it is"), message_delta(**usage)]
    script = [(1_000.0 * number, sse(event, named=True)) for number, event in enumerate(events, 1)]
    record = measure("anthropic", script)
    assert record.usage.reasoning_tokens == billed
    assert (record.metrics["tokens_per_second"] is not None) is shown
    assert ("reasoning_hidden" not in record.flags) is shown


@pytest.mark.parametrize("piece", ["7", "က"])
def test_reasoning_of_short_tokens_is_no_summary(piece: str) -> None:
    """Each digit may be a token, and each byte of a rare script. Then the events show how many came."""
    billed = 200 * len(piece.encode()) * 2 // 3
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": billed + 2,
        "completion_tokens_details": {"reasoning_tokens": billed},
    }
    chunks = [*[openai_chunk({"reasoning_content": piece})] * 200, *openai_text("Four", " it is")]
    chunks.append(openai_chunk({}, "stop", usage=usage))
    record = measure("openai", [(10.0 * number, sse(chunk)) for number, chunk in enumerate(chunks, 1)])
    assert record.metrics["tokens_per_second"] is not None
    assert "reasoning_hidden" not in record.flags


@pytest.mark.parametrize(("beside", "known"), [({}, False), ({"reasoning_content": "Hm"}, True)])
def test_reasoning_whose_count_contradicts_the_output_leaves_the_speed_unknown_unless_it_was_shown(
    beside: dict[str, str], known: bool
) -> None:
    """Perplexity's deep research has more reasoning than output, and a total without it."""
    details = {"reasoning_tokens": 193_827, "citation_tokens": 20_016}
    usage = {"prompt_tokens": 33, "completion_tokens": 7_163, "total_tokens": 7_196, **details}
    chunks = [openai_chunk(beside), *openai_text("Four", " it is"), openai_chunk({}, "stop", usage=usage)]
    script = [(10_000.0 * number, sse(chunk)) for number, chunk in enumerate(chunks, 1)]
    record = measure("openai", script)
    assert (record.usage.output_tokens, record.usage.reasoning_tokens) == (7_163, None)
    assert (record.metrics["tokens_per_second"] is not None) is known
    assert "usage_contradictory" in record.flags
