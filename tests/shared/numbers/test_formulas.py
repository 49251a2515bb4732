"""The metrics of one request from its timeline."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.numbers.formulas import RequestFacts
from shared.numbers.metrics import compute
from shared.numbers.timeline import EventKind, TimelineEvent, decode, encode

K = EventKind


def timeline(*events: tuple[float, EventKind]) -> list[TimelineEvent]:
    """Events at the given milliseconds."""
    return [TimelineEvent(round(at_ms * 1_000), kind, 5) for at_ms, kind in events]


def metrics(events: list[TimelineEvent], output_tokens: int | None, hidden: int = 0) -> dict[str, float | None]:
    """`hidden`: how many of the output tokens are hidden reasoning."""
    return compute(facts(events, output_tokens, hidden))


def facts(events: list[TimelineEvent], output_tokens: int | None, hidden: int = 0) -> RequestFacts:
    return RequestFacts.of(events, output_tokens, None if output_tokens is None else output_tokens - hidden)


STREAM = timeline(
    (90, K.FIRST_BYTE),
    (90, K.OTHER),
    (100, K.CONTENT),
    (120, K.CONTENT),
    (150, K.PING),
    (200, K.CONTENT),
    (201, K.USAGE),
    (202, K.FINISH),
    (203, K.DONE),
    (204, K.END),
)


def test_each_metric_is_measured_from_sent_to_its_own_event() -> None:
    found = metrics(STREAM, 11)
    assert found["ttfb_ms"] == 90
    assert found["ttft_ms"] == found["ttfat_ms"] == 100
    assert found["latency_ms"] == 200
    assert found["stream_close_ms"] == 204
    assert found["max_stall_ms"] == 80


def test_speed_counts_the_providers_tokens_and_not_the_events() -> None:
    """Three events carried eleven tokens: tpot = (latency - ttft) / (tokens - 1)."""
    found = metrics(STREAM, 11)
    assert found["tpot_ms"] == pytest.approx((200 - 100) / (11 - 1))
    assert found["tokens_per_second"] == pytest.approx(11 / (200 - 100) * 1_000)


@pytest.mark.parametrize("output_tokens", [None, 0, 1])
def test_speed_is_unknown_without_two_tokens(output_tokens: int | None) -> None:
    found = metrics(STREAM, output_tokens)
    assert found["tpot_ms"] is None
    assert found["tokens_per_second"] is None
    assert found["ttft_ms"] == 100


def test_a_one_token_answer_has_no_speed_and_no_stall() -> None:
    found = metrics(timeline((10, K.FIRST_BYTE), (50, K.CONTENT), (51, K.END)), 1)
    assert (found["ttft_ms"], found["latency_ms"], found["stream_close_ms"]) == (50, 50, 51)
    assert (found["tpot_ms"], found["tokens_per_second"], found["max_stall_ms"]) == (None, None, None)


def test_an_empty_answer_has_no_token_times() -> None:
    found = metrics(timeline((10, K.FIRST_BYTE), (11, K.FINISH), (12, K.END)), 0)
    assert (found["ttfb_ms"], found["stream_close_ms"]) == (10, 12)
    assert (found["ttft_ms"], found["ttfat_ms"], found["latency_ms"], found["tpot_ms"]) == (None, None, None, None)


def test_a_request_without_any_byte_has_no_metric_at_all() -> None:
    assert set(metrics([], None).values()) == {None}


@pytest.mark.parametrize(
    ("contents", "output_tokens", "buffered"),
    [
        ((50, 50), 40, True),
        ((50,), 40, True),
        ((50,), None, True),
        ((50,), 1, False),
        ((50, 51), 40, True),
        ((50, 62), 40, False),
        ((50, 51), None, False),
        ((), 0, False),
        ((), None, False),
    ],
)
def test_an_answer_of_several_tokens_in_one_read_is_buffered(
    contents: tuple[float, ...], output_tokens: int | None, buffered: bool
) -> None:
    stream = timeline((10, K.FIRST_BYTE), *((at_ms, K.CONTENT) for at_ms in contents), (52, K.END))
    assert facts(stream, output_tokens).buffered is buffered


@pytest.mark.parametrize(
    ("contents", "output_tokens", "speed"),
    [
        # 1,000 tokens in two reads 50 µs apart.
        ((50, 50.05), 1_000, None),
        # A proxy that held back the answer for 5 s and then sent it in three reads.
        ((5_000, 5_001, 5_002.5), 80, None),
        # A single stream of very fast hardware.
        (tuple(100 + step * 0.5 for step in range(200)), 400, 400 / 99.5 * 1_000),
        ((100, 200), 2, 20),
    ],
)
def test_a_burst_has_no_speed(contents: tuple[float, ...], output_tokens: int, speed: float | None) -> None:
    found = metrics(timeline(*((at_ms, K.CONTENT) for at_ms in contents)), output_tokens)
    assert found["tokens_per_second"] == (None if speed is None else pytest.approx(speed))
    assert (found["tpot_ms"] is None) == (speed is None)


def test_hidden_reasoning_is_taken_out_of_the_speed() -> None:
    """10 s of hidden reasoning, then 101 visible tokens in 1 s."""
    found = metrics(timeline((10_000, K.CONTENT), (10_500, K.CONTENT), (11_000, K.CONTENT)), 1_101, hidden=1_000)
    assert found["tokens_per_second"] == pytest.approx(101)
    assert found["tpot_ms"] == pytest.approx(10)


def test_without_the_number_of_visible_tokens_there_is_no_speed() -> None:
    found = compute(RequestFacts.of(timeline((10, K.CONTENT), (900, K.CONTENT)), 1_800, None))
    assert (found["tokens_per_second"], found["tpot_ms"]) == (None, None)


def test_usage_with_each_event_tells_how_many_tokens_the_first_one_held() -> None:
    events = [
        TimelineEvent(200_000 + step * 80_000, kind, 16 if kind is K.CONTENT else 8 * (step + 1))
        for step in range(4)
        for kind in (K.CONTENT, K.USAGE)
    ]
    found = metrics(events, 32)
    assert found["tpot_ms"] == pytest.approx(240 / 24)
    assert found["tokens_per_second"] == pytest.approx(32 / 0.24)
    # A count that never changes says nothing about the first event.
    constant = [event._replace(size=32) if event.kind is K.USAGE else event for event in events]
    assert metrics(constant, 32)["tpot_ms"] == pytest.approx(240 / 31)


def test_an_answer_in_one_read_has_no_speed() -> None:
    """All events of one read share its stamp; dividing by the gap between them would invent a speed."""
    found = metrics(timeline((50, K.FIRST_BYTE), (50, K.CONTENT), (50, K.CONTENT), (50, K.END)), 40)
    assert (found["tpot_ms"], found["tokens_per_second"]) == (None, None)
    assert found["max_stall_ms"] == 0


def test_reasoning_is_the_first_token_and_the_answer_has_its_own_time() -> None:
    """A second of thinking, then the answer."""
    found = metrics(timeline((5, K.REASONING), (500, K.REASONING), (1_005, K.CONTENT), (1_010, K.CONTENT)), 20)
    assert found["ttft_ms"] == 5
    assert found["ttfat_ms"] == 1_005
    assert found["latency_ms"] == 1_010


def test_a_tool_call_is_an_answer() -> None:
    found = metrics(timeline((5, K.REASONING), (30, K.TOOL), (40, K.TOOL)), 9)
    assert (found["ttft_ms"], found["ttfat_ms"], found["latency_ms"]) == (5, 30, 40)


@pytest.mark.parametrize("kind", [K.USAGE, K.PING, K.FINISH, K.OTHER, K.ERROR, K.DONE, K.FIRST_BYTE])
def test_an_event_without_text_is_no_token(kind: EventKind) -> None:
    assert metrics(timeline((5, kind), (20, K.CONTENT), (30, kind)), 5)["ttft_ms"] == 20
    assert metrics(timeline((5, kind), (20, K.CONTENT), (30, kind)), 5)["latency_ms"] == 20


events = st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from(EventKind), st.integers(0, 10_000)), max_size=30)


@given(events, st.none() | st.integers(0, 10**7))
def test_no_metric_is_ever_nan_infinite_or_negative(
    found: list[tuple[int, EventKind, int]], tokens: int | None
) -> None:
    stream = [TimelineEvent(*event) for event in sorted(found)]
    values = [value for value in metrics(stream, tokens).values() if value is not None]
    assert all(math.isfinite(value) and value >= 0 for value in values)


@given(events, st.none() | st.integers(0, 10**7))
def test_a_stored_timeline_gives_the_same_metrics_again(
    found: list[tuple[int, EventKind, int]], tokens: int | None
) -> None:
    stream = [TimelineEvent(*event) for event in sorted(found)]
    assert metrics(decode(encode(stream)), tokens) == metrics(stream, tokens)
