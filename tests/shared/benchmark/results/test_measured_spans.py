"""Gaps between the segments of a run are no time of it, however its parts are merged."""

from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.results.measured_spans import MeasuredSpans

SEEN = st.tuples(st.sampled_from([None, 1, 2, 3]), st.integers(0, 1_000), st.integers(0, 1_000))


def spans(*seen: tuple[int | None, int, int]) -> MeasuredSpans:
    """`seen`: segment, begin and length in µs."""
    found = MeasuredSpans()
    for segment, begin_us, length_us in seen:
        found.see(segment, begin_us, begin_us + length_us)
    return found


def test_what_lies_between_two_segments_does_not_count() -> None:
    found = spans((1, 0, 1_000_000), (1, 2_000_000, 1_000_000), (2, 300_000_000, 4_000_000))
    assert (found.count, found.seconds, found.are_known) == (2, 7, True)


def test_without_a_result_there_is_no_time() -> None:
    assert (spans().count, spans().seconds, spans().are_known) == (0, 0, True)


def test_a_segment_that_is_not_known_is_told() -> None:
    assert not spans((None, 0, 5), (2, 10, 5)).are_known


@given(st.lists(SEEN), st.lists(SEEN))
def test_merging_is_as_seeing_all(ours: list[tuple[int | None, int, int]], theirs: list[tuple[int, int, int]]) -> None:
    """Also through the stored form."""
    whole = spans(*ours)
    whole.merge(MeasuredSpans.load(spans(*theirs).document()))
    expected = spans(*theirs, *ours)
    assert sorted(whole.document(), key=str) == sorted(expected.document(), key=str)
