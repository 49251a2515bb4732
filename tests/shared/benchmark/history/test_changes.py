"""Which runs of a history are marked as changed, by their stored intervals."""

import random
import time

import pytest

from shared.benchmark.history.changes import RUNS_BEFORE, Change, change_of, history_of
from shared.benchmark.history.metrics import METRICS
from shared.benchmark.history.run import Run
from shared.benchmark.history.settings import Difference
from tests.shared.benchmark.history.runs import ENDPOINT, run, spec_of

TTFT = METRICS["ttft_p50_ms"]
BEFORE = [run(number, 100.0 + number) for number in (1, 2, 3, 4, 5)]


def verdicts(runs: list[Run], metric: str = "ttft_p50_ms") -> list[str]:
    return [point.changes[metric].verdict for point in history_of(runs)]


def test_a_jump_beyond_intervals_and_margin_is_marked() -> None:
    assert change_of(run(6, 130.0), BEFORE, TTFT) == Change(
        "changed", None, 103.0, (98.0, 108.0), 27.0, tuple(item.id for item in BEFORE)
    )
    assert change_of(run(6, 70.0), BEFORE, TTFT).verdict == "changed"


@pytest.mark.parametrize(
    ("value", "spread"),
    [(112.0, 5.0), (130.0, 25.0), (112.0, 1.0)],
    ids=["the intervals overlap", "its own interval is wide", "apart, but by less than 10 ms"],
)
def test_anything_less_is_not(value: float, spread: float) -> None:
    assert change_of(run(6, value, spread), BEFORE, TTFT).verdict == "unchanged"


def test_with_an_even_number_the_middle_two_count() -> None:
    before = [run(1, 100.0, 1.0), run(2, 200.0, 1.0)]
    change = change_of(run(3, 150.0, 1.0), before, TTFT)
    assert (change.reference, change.reference_interval, change.verdict) == (150.0, (99.0, 201.0), "unchanged")


def test_what_cannot_be_judged_says_why() -> None:
    def reason(item: Run, before: list[Run], metric: str = "ttft_p50_ms") -> str:
        change = change_of(item, before, METRICS[metric])
        assert change.verdict == "unknown"
        return change.reason or ""

    assert "no such number" in reason(run(6, None), BEFORE)
    assert "6 independent" in reason(run(6, 500.0, None), BEFORE)
    assert "grade of this run is D" in reason(run(6, 500.0, grade="D"), BEFORE)
    assert "no earlier run" in reason(run(6, 500.0), [])
    assert "no earlier run" in reason(run(6, 500.0), [run(1, 100.0, None)])
    assert "no interval of Cost is stored" in reason(run(6), BEFORE, "cost_per_request_usd")


def test_error_shares_are_judged_too() -> None:
    runs = [run(1), run(2), run(3, errored=30), run(4, errored=1)]
    assert verdicts(runs, "error_share") == ["unknown", "unchanged", "changed", "unchanged"]


def test_a_series_is_ordered_by_start_and_each_run_is_judged_by_those_before() -> None:
    values = [100.0, 101.0, 99.0, 160.0, 161.0, 160.0, 162.0, 160.0]
    runs = [run(number, value) for number, value in enumerate(values)]
    points = history_of(list(reversed(runs)))
    assert [point.run.id for point in points] == list(range(8))
    # Once most of the five runs before are at the new level, it is the usual one.
    assert [point.changes["ttft_p50_ms"].verdict for point in points] == [
        *("unknown", "unchanged", "unchanged"),
        *("changed", "changed", "changed", "unchanged", "unchanged"),
    ]
    assert points[-1].changes["ttft_p50_ms"].against == (6, 5, 4, 3, 2)
    assert len(points[-1].changes["ttft_p50_ms"].against) == RUNS_BEFORE


def test_only_runs_with_the_same_settings_and_a_good_grade_are_compared() -> None:
    """Another load changes the numbers by itself. How it differs from the newest run is said."""
    busy = spec_of(concurrency=64)
    runs = [
        run(1, 100.0),
        run(2, 400.0, spec=busy),
        run(3, 900.0, grade="D"),
        run(4, 101.0),
        run(5, 410.0, spec=busy),
        run(6, 100.0, endpoint={**ENDPOINT, "fingerprint": "f2"}),
        run(7, 100.0),
    ]
    points = history_of(runs)
    assert [point.changes["ttft_p50_ms"].against for point in points] == [(), (), (), (1,), (2,), (), (4, 1)]
    assert points[4].differs == [Difference("load.concurrency", 64, 4)]
    assert points[5].differs == [Difference("endpoint.fingerprint", "f2", "f1")]
    assert [point.differs for point in (points[0], points[3], points[6])] == [[], [], []]


def test_the_newest_run_may_be_one_that_is_not_shown() -> None:
    points = history_of([run(1)], newest=run(9, spec=spec_of(concurrency=8)))
    assert points[0].differs == [Difference("load.concurrency", 4, 8)]


def test_no_runs_have_no_history() -> None:
    assert history_of([]) == []


def test_chance_alone_is_seldom_marked() -> None:
    """Medians of 200 values around the same level, with their own intervals: in at most 2 % of the runs."""
    from shared.numbers.statistics import distribution

    chance = random.Random(7)
    marked, judged = 0, 0
    for _ in range(30):
        runs = []
        for number in range(20):
            found = distribution([chance.lognormvariate(5, 0.6) for _ in range(200)])
            summary = {**run().summary, "ttft_ms": found}
            runs.append(run(number, summary=summary))
        found_verdicts = verdicts(runs)
        marked += found_verdicts.count("changed")
        judged += len(runs) - found_verdicts.count("unknown")
    assert judged > 500
    assert marked / judged <= 0.02


def test_many_runs_with_many_settings_take_time_in_proportion() -> None:
    """Each run looks at those with its own settings only."""

    def seconds(count: int) -> float:
        runs = [run(number, spec=spec_of(concurrency=number + 1)) for number in range(count)]
        begin = time.process_time()
        history_of(runs)
        return time.process_time() - begin

    assert seconds(800) < 24 * max(seconds(100), 1e-3)
