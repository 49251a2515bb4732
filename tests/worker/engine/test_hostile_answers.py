"""Answers that would fill the memory or the bill: cut, and said to be."""

import tracemalloc

import pytest

from shared.benchmark.timeouts import Timeouts
from shared.numbers.timeline import decode
from simulator.server import Simulator
from tests.support.streams import openai_text, sse
from tests.worker.engine.measuring import BEGAN, measurement, part
from tests.worker.engine.running import run_over
from worker.engine.answer import MAX_BYTES, MAX_EVENTS, MAX_TEXT
from worker.engine.children import Children
from worker.engine.measurer import Measurement
from worker.engine.messages import End, Head

HEAD = Head(200, {"content-type": "text/event-stream"})


def begun() -> Measurement:
    measured = measurement("openai")
    measured.take(part(began=BEGAN, head=HEAD))
    return measured


@pytest.mark.heavy
def test_a_million_events_are_cut_at_a_quarter() -> None:
    measured, piece = begun(), sse(*openai_text("x")) * 1_000
    for number in range(1_000):
        measured.take(part((number, piece)))
    assert (measured.outcome, measured.error and measured.error.kind) == ("errored", "answer_too_large")
    record = measured.record()
    assert record.error is not None
    assert record.error.message == f"the answer has more than {MAX_EVENTS:,} events: its stream was closed"
    assert record.timeline is not None
    assert MAX_EVENTS < len(decode(record.timeline)) < MAX_EVENTS + 2_000
    assert record.ttft_ms is not None
    assert len(record.response or "") > MAX_EVENTS - 2_000


def test_a_hundred_megabytes_of_deltas_are_cut_and_their_text_is_kept_up_to_a_million_characters() -> None:
    measured, piece = begun(), sse(*openai_text("x" * 100_000))
    tracemalloc.start()
    for number in range(1_000):
        measured.take(part((number, piece)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    record = measured.record()
    assert record.error is not None
    assert (record.outcome, record.error.kind) == ("errored", "answer_too_large")
    assert f"{MAX_BYTES // 1_000_000} MB" in record.error.message
    assert record.flags == ["text_cut"]
    assert record.response == "x" * MAX_TEXT
    # A character may take four bytes while text is built.
    assert peak < 8 * MAX_TEXT


def test_a_line_that_never_ends_is_cut() -> None:
    measured = begun()
    for number in range(2_000):
        measured.take(part((number, b"x" * 65_536)))
    assert (measured.outcome, measured.error and measured.error.kind) == ("errored", "answer_too_large")


def test_a_long_answer_that_ends_well_is_a_success_with_its_text_cut() -> None:
    measured, piece = begun(), sse(*openai_text("x" * 1_000)) * 100
    for number in range(11):
        measured.take(part((number, piece)))
    measured.take(part((20, b"data: [DONE]\n\n"), end=End("complete", 21_000_000)))
    record = measured.record()
    assert (record.outcome, record.flags) == ("succeeded", ["buffered", "text_cut", "usage_missing"])
    assert len(record.response or "") == MAX_TEXT


@pytest.mark.heavy
async def test_a_stream_without_end_is_closed_upstream(children: Children, simulator: Simulator) -> None:
    timeouts = Timeouts(total_s=600)
    (record,) = await run_over(
        children, "auto", simulator.base_url, "openai", "sim-ttft0-gap0-endless-chunk1000", timeouts=timeouts
    )
    assert record.error is not None
    assert (record.outcome, record.error.kind) == ("errored", "answer_too_large")
    await simulator.wait_for(lambda server: server.requests[0].closed_by_client)
