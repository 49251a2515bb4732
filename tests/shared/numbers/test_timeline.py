"""Timelines: what is stored is what was seen, in few bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.numbers.timeline import EventKind, TimelineEvent, decode, encode


def in_order(offsets: list[int], kinds: list[EventKind], sizes: list[int]) -> list[TimelineEvent]:
    return [TimelineEvent(*event) for event in zip(sorted(offsets), kinds, sizes, strict=False)]


timelines = st.builds(
    in_order,
    st.lists(st.integers(0, 2**45), max_size=50),
    st.lists(st.sampled_from(EventKind), max_size=50),
    st.lists(st.integers(0, 2**31), max_size=50),
)
typical = [TimelineEvent(200_000 + 20_000 * number, EventKind.CONTENT, 4 + number % 9) for number in range(1_000)]


@given(timelines)
def test_decode_gives_back_what_encode_was_given(events: list[TimelineEvent]) -> None:
    assert decode(encode(events)) == events


def test_an_event_of_a_typical_stream_takes_five_bytes_at_most() -> None:
    """A thousand tokens 20 ms apart: a delta of three bytes, a kind and a size of one each."""
    assert len(encode(typical)) / len(typical) <= 5.01


def test_an_event_of_a_fast_stream_takes_four_bytes() -> None:
    """Tokens 10 ms apart have a delta of two bytes."""
    events = [TimelineEvent(10_000 * number, EventKind.CONTENT, 5) for number in range(1_000)]
    assert len(encode(events)) / len(events) <= 4.0


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_blob_that_was_cut_inside_an_event_is_refused(lost: int) -> None:
    blob = encode(typical)
    with pytest.raises(ValueError, match="the timeline ends inside"):
        decode(blob[:-lost])


@given(st.binary(max_size=40))
def test_any_bytes_are_a_timeline_or_a_value_error(blob: bytes) -> None:
    """Nothing else is raised, and nothing is invented."""
    try:
        events = decode(blob)
    except ValueError:
        return
    assert len(events) <= len(blob) / 3


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="99 is not a valid EventKind"):
        decode(bytes([1, 99, 1]))


def test_a_timeline_that_runs_backwards_cannot_be_stored() -> None:
    """A monotonic clock never gives one, so it is a bug that must not be hidden."""
    with pytest.raises(ValueError):
        encode([TimelineEvent(5, EventKind.CONTENT, 1), TimelineEvent(4, EventKind.CONTENT, 1)])
