"""The grade of a run: what lowers it, what cannot hide, and when there is none."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance
from shared.numbers.lag import lag_bucket

PUNCTUAL = Counter({0: 10_000})


def histogram(share: float, late_ms: float) -> Counter[int]:
    """100 s, of which this share was spent that late."""
    late = round(10_000 * share)
    return Counter({0: 10_000 - late, lag_bucket(round(late_ms * 1e6)): late})


def run(*processes: Mapping[int, int], lag_max_ms: float = 0, cpu_share: float = 0.1) -> Disturbance:
    """A run of 200 punctual requests over processes with these lags."""
    seen = Disturbance("socket", requests=200, send_delays_ms=Digest([0.1] * 200))
    seen.expect(len(processes))
    for lags in processes:
        seen.observe_process(lags, lag_max_ms, cpu_share)
    return seen


def grade(seen: Disturbance) -> str:
    verdict = seen.grade()
    assert verdict is not None
    return verdict[0]


def test_a_run_that_sent_nothing_has_no_grade() -> None:
    seen = Disturbance("socket")
    seen.expect(1)
    seen.observe_process(PUNCTUAL, 0, 0.1)
    assert seen.grade() is None
    assert (seen.document()["grade"], seen.document()["reasons"]) == (None, [])


def test_a_late_process_is_not_hidden_by_punctual_ones() -> None:
    """It measures a quarter of the requests. Pooled, it would be late for 0.75 % of the time."""
    late = histogram(0.03, 400)
    assert grade(run(late)) == "C"
    assert grade(run(PUNCTUAL, PUNCTUAL, late, PUNCTUAL)) == "C"
    assert run(PUNCTUAL, late).document()["loop_lag_ms"]["p99"] == pytest.approx(400, rel=0.06)


def test_a_process_that_does_not_report_is_not_trusted() -> None:
    seen = run(PUNCTUAL, PUNCTUAL)
    seen.expect(3)
    seen.observe_process(PUNCTUAL, 0, 0.1)
    assert seen.grade() == ("D", ["2 of 3 measuring processes did not report how late they were"])


@pytest.mark.parametrize(("stall_ms", "expected"), [(900, "A"), (3_000, "B"), (15_000, "C"), (60_000, "D")])
def test_one_long_stall_in_a_long_run_shows(stall_ms: float, expected: str) -> None:
    """Its share of the time is too small for the P99."""
    seen = run(histogram(0.001, stall_ms), lag_max_ms=stall_ms)
    assert grade(seen) == expected
    _, reasons = seen.grade() or ("", [])
    assert bool(reasons) is (expected != "A")


@pytest.mark.parametrize(("share", "expected"), [(0.8, "A"), (0.9, "B"), (1.0, "C")])
def test_a_busy_second_shows(share: float, expected: str) -> None:
    assert grade(run(PUNCTUAL, cpu_share=share)) == expected


def test_what_was_observed_is_read_back() -> None:
    seen = run(histogram(0.03, 400), lag_max_ms=700)
    assert Disturbance.load(seen.state()).document() == seen.document()


lags = st.dictionaries(st.integers(0, 300), st.integers(1, 500), max_size=5)


@given(st.lists(lags, min_size=1, max_size=4))
def test_the_order_in_which_processes_report_changes_nothing(processes: list[dict[int, int]]) -> None:
    reordered = sorted(processes, key=lambda item: sorted(item.items()))
    assert run(*processes).document() == run(*reordered).document() == run(*reversed(reordered)).document()


@given(lags, lags)
def test_another_process_or_segment_never_betters_the_lag(one: dict[int, int], other: dict[int, int]) -> None:
    both, alone = run(one, other), run(one)
    merged = run(one)
    merged.merge(run(other))
    # At equal lateness the histogram may be of either: then the P99 is the same.
    assert merged.document()["loop_lag_ms"] == both.document()["loop_lag_ms"]
    if alone.lag_histogram.total() >= 100:
        assert both.document()["loop_lag_ms"]["p99"] >= alone.document()["loop_lag_ms"]["p99"]


def test_a_process_with_few_samples_does_not_hide_the_p99_of_another() -> None:
    """Else the longest stall of all would be judged as if the loop had always been that late."""
    short = Counter({lag_bucket(120_000_000): 12})
    seen = run(histogram(0.03, 90), short, lag_max_ms=3_000)
    assert seen.document()["loop_lag_ms"]["p99"] == pytest.approx(90, rel=0.06)
    assert seen.grade() == ("B", ["the measuring loop stood still for 3.0 s while requests were in flight"])


def test_without_a_p99_the_longest_lag_of_the_latest_process_counts() -> None:
    seen = run(Counter({0: 20, lag_bucket(120_000_000): 12}), lag_max_ms=120)
    grade, reasons = seen.grade() or ("", [])
    assert grade == "B"
    assert len(reasons) == 1
    assert "(maximum)" in reasons[0]
