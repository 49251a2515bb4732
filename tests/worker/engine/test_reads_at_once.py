"""Reads that are taken at once give the record that they give one by one.

A read is taken alone if it ends inside an event. So each answer is measured twice: with a read for each event, and with
each of these reads cut in two that have the same stamp.
"""

import random
from dataclasses import asdict
from typing import Any

import pytest

from shared.benchmark.results.record import ResultRecord
from shared.benchmark.timeouts import Timeouts
from shared.scrubber import Scrubber
from tests.support.servers.scripted import FrozenClock
from tests.support.spoken import spoken
from tests.support.streams import anthropic_text, openai_chunk, openai_text, sse
from tests.worker.engine.measuring import BEGAN, REQUEST, adapter, part
from worker.engine.answer import Answer
from worker.engine.measurer import Measurement
from worker.engine.messages import End, Head
from worker.engine.planned import MeasureContext, PhaseStart, RunClock

Script = list[tuple[float, bytes]]
WORDS = [" the", " a", "é", "\n", "\\n", '"', "{", "</think>", "<think>", "<", "`", "🚀", "data: x", "usage", "x" * 300]
ODD = [
    b": a comment\n\n",
    sse("ping"),
    sse(openai_chunk({"role": "assistant", "content": ""})),
    sse(openai_chunk({"content": "a", "reasoning_content": "b"})),
    sse(openai_chunk({"reasoning_content": "why"})),
    sse(openai_chunk({"content": "c"}, usage={"prompt_tokens": 3, "completion_tokens": 2})),
    sse(openai_chunk({"content": "d"}, model="another")),
    b'data: {"choices":[{"index":0,"delta":{"content":"\\ud800"},"finish_reason":null}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"\xff"},"finish_reason":null}]}\n\n',
]


CLOCK = RunClock.start(FrozenClock())


def record_of(protocol: str, script: Script, timeouts: Timeouts | None = None) -> ResultRecord:
    """Measured in one slice, as a process reports it half a second later."""
    context = MeasureContext(adapter(protocol), timeouts or Timeouts(), CLOCK, Scrubber(()), keep_timeline=True)
    measured = Measurement(REQUEST, context, PhaseStart())
    head, end = Head(200, {"content-type": "text/event-stream"}), End("complete", round(script[-1][0] * 1e6))
    measured.take(part(*script, began=BEGAN, head=head, end=end))
    return measured.record()


def cut(script: Script) -> Script:
    """The same bytes at the same times, but no read has a whole event."""
    return [(at_ms, piece) for at_ms, data in script for piece in (data[:-1], data[-1:])]


def facts(record: ResultRecord) -> dict[str, Any]:
    return {**asdict(record), "gaps_ms": record.gaps_ms and record.gaps_ms.document()} | {
        "tokens_over_time": record.tokens_over_time and sorted(record.tokens_over_time.steps())
    }


def merged(events: list[bytes], chance: random.Random) -> list[bytes]:
    """Some reads bring several events."""
    reads, rest = [], list(events)
    while rest:
        count = chance.choice((1, 1, 1, 2, 5))
        reads.append(b"".join(rest[:count]))
        del rest[:count]
    return reads


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
@pytest.mark.parametrize("seed", range(40))
def test_answers_give_the_same_record_at_once_and_one_by_one(protocol: str, seed: int) -> None:
    chance = random.Random(seed)
    texts = [chance.choice(WORDS) if chance.random() < 0.2 else f" word{number}" for number in range(60)]
    documents = openai_text(*texts) if protocol == "openai" else anthropic_text(*texts)
    events = [sse(document, named=protocol == "anthropic") for document in documents]
    for _ in range(chance.choice((0, 0, 1, 4)) if protocol == "openai" else 0):
        events.insert(chance.randrange(len(events)), chance.choice(ODD))
    whole = spoken(protocol).stream("HERE", output_tokens=60)
    said = next(event.data for event in spoken(protocol).events("HERE", output_tokens=60) if event.tokens)
    before, _, after = whole.partition(said)
    reads = [before, *merged(events, chance), after]
    times = sorted(chance.uniform(10, 900) for _ in reads)
    script = list(zip(times, reads, strict=True))
    assert facts(record_of(protocol, script)) == facts(record_of(protocol, cut(script)))


@pytest.mark.parametrize("gaps_ms", [(5, 5, 2_000, 5), (5, 1_100, 5, 5), (900, 900, 900, 900), (990, 990, 990, 990)])
@pytest.mark.parametrize("timeouts", [Timeouts(idle_s=1), Timeouts(total_s=3.7), Timeouts(ttft_s=0.5)])
def test_deadlines_fall_at_the_same_read(gaps_ms: tuple[float, ...], timeouts: Timeouts) -> None:
    times = [10.0, 20.0]
    for gap_ms in gaps_ms:
        times.append(times[-1] + gap_ms)
    events = [sse(document) for document in openai_text(*(f"t{number}" for number in range(len(times))))]
    script = [*zip(times, events, strict=True), (times[-1] + 1, sse(openai_chunk({}, "stop"), "[DONE]"))]
    assert facts(record_of("openai", script, timeouts)) == facts(record_of("openai", cut(script), timeouts))


def test_reads_that_repeat_are_taken_at_once() -> None:
    """Otherwise the tests above would compare one way with itself."""
    answer = Answer(adapter("openai").decoder({}), 0)
    reads = [sse(document) for document in openai_text("a", "b", "c", "d")]
    answer.feed(sse(openai_chunk({"role": "assistant", "content": ""})), 1_000)
    answer.feed(reads[0], 2_000)
    ends = [sum(map(len, reads[1 : number + 1])) for number in range(1, 4)]
    assert answer.repeat(b"".join(reads[1:]), (3_000, 4_000, 5_000), ends)
    assert [(event.offset_us, event.size) for event in answer.timeline][-4:] == [(2, 1), (3, 1), (4, 1), (5, 1)]
    assert answer.texts()[0] == "abcd"
