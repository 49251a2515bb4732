"""Counts over time: exact while few, in steps above that, blind to order and splits."""

import random
import time
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.numbers.time_series import MOST_STEPS, TimeSeries

EPOCH_US = 1_700_000_000_000_000
moments = st.lists(st.tuples(st.integers(0, 10**10), st.integers(1, 50)), max_size=80)


def of(items: list[tuple[int, int]]) -> TimeSeries:
    series = TimeSeries()
    for at_us, count in items:
        series.add(EPOCH_US + at_us, count)
    return series


def merged(*parts: TimeSeries) -> TimeSeries:
    whole = TimeSeries()
    for part in parts:
        whole.merge(part)
    return whole


def many(seed: int, count: int) -> list[tuple[int, int]]:
    generator = random.Random(seed)
    return [(generator.randrange(10**9), 1) for _ in range(count)]


@given(moments, st.integers(0, 10**10), st.integers(0, 10**10))
def test_few_counts_are_exact(items: list[tuple[int, int]], after: int, until: int) -> None:
    series = of(items)
    assert series.step_us == 1
    expected = sum(count for at_us, count in items if after < at_us <= until)
    assert series.within(EPOCH_US + after, EPOCH_US + until) == expected


@settings(max_examples=20, deadline=None)
@given(st.lists(moments, max_size=4), st.integers(0, 3 * MOST_STEPS), st.integers(0, 99))
def test_splitting_and_order_change_nothing(parts: list[list[tuple[int, int]]], more: int, seed: int) -> None:
    parts = [*parts, many(seed, more)]
    whole = of([item for part in parts for item in part])
    assert whole.document() == merged(*map(of, parts)).document() == merged(*map(of, reversed(parts))).document()
    a, b, c = map(of, (parts[0], parts[-1], many(seed + 1, more // 2)))
    assert merged(merged(a, b), c).document() == merged(a, merged(b, c)).document()


def test_many_counts_stay_small_and_are_off_by_a_step_at_most() -> None:
    items = many(5, 100_000)
    series = of(items)
    assert series.total == 100_000
    assert len(list(series.steps())) <= MOST_STEPS
    assert series.step_us <= 10**9 // MOST_STEPS * 4
    exact = sum(2 * 10**8 < at_us <= 7 * 10**8 for at_us, _ in items)
    found = series.within(EPOCH_US + 2 * 10**8, EPOCH_US + 7 * 10**8)
    assert abs(found - exact) <= 2 * max(count for _, count in series.steps())


def test_it_is_read_back_as_it_was_written() -> None:
    for items in ([], many(1, 10), many(2, 20_000)):
        series = of(items)
        again = TimeSeries.load(series.document())
        assert again.document() == series.document()
        assert again.total == series.total


def test_a_full_series_takes_counts_as_fast_as_others() -> None:
    """Of the processor's time. As long as they are far apart, doubling the step joins only a few of them."""
    items = [(number * 800 + random.Random(number).randrange(50_000), 1) for number in range(2 * MOST_STEPS)]
    first_s = min(_cpu_s(lambda: of(items[:MOST_STEPS])) for _ in range(5))
    all_s = min(_cpu_s(lambda: of(items)) for _ in range(5))
    assert all_s < 12 * first_s


def _cpu_s(what: Callable[[], object]) -> float:
    begin = time.thread_time()
    what()
    return time.thread_time() - begin
