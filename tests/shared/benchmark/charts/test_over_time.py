"""What happened when, in equal steps."""

import numpy as np
import pytest

from shared.benchmark.charts.over_time import MOST_STEPS, over_time
from tests.shared.benchmark.charts.rows import BEGIN_S, columns, row


def test_requests_are_counted_by_send_and_by_end() -> None:
    rows = [row(number, sent_s=number / 10, latency_ms=1_500.0) for number in range(100)]
    rows += [row(100, sent_s=5.0, outcome="errored", ttft_ms=None, latency_ms=None)]
    # A request that we cut off was in flight; one that was dropped was not.
    rows += [row(101, sent_s=6.0, outcome="incomplete"), row(102, sent_s=60.0, outcome="dropped", ended_s=None)]
    found = over_time(columns(*rows))
    step = found["step_s"]
    assert step == 0.5
    assert found["begins_at"] == "2023-11-14T22:13:20.000000Z"
    assert found["offset_s"] == [number * step for number in range(23)]
    assert (sum(found["sent"]), sum(found["succeeded"]), sum(found["failed"])) == (102, 100, 1)
    assert found["sent"][:3] == [5, 5, 5]
    assert found["succeeded"][:4] == [0, 0, 0, 5]
    assert found["failed"][10] == 1


def test_tokens_are_spread_over_the_time_of_their_answer() -> None:
    """40 tokens from 0.1 s to 0.5 s after each send: 100 per second while one answer runs."""
    rows = [row(number, sent_s=number * 1.0) for number in range(30)]
    found = over_time(columns(*rows))
    rates = found["output_token_throughput"]
    assert sum(rates) * found["step_s"] == pytest.approx(30 * 40, abs=0.1)
    assert found["step_s"] == 2
    assert rates[:-1] == pytest.approx([40.0] * (len(rates) - 1))
    unknown = [row(number, sent_s=float(number), output_tokens=None) for number in range(30)]
    assert set(over_time(columns(*unknown))["output_token_throughput"]) == {None}


def test_an_answer_that_came_at_once_has_its_tokens_too() -> None:
    found = over_time(columns(*[row(number, ttft_ms=500.0) for number in range(5)]))
    assert sum(found["output_token_throughput"]) * found["step_s"] == pytest.approx(200, abs=0.1)


def test_tokens_of_an_answer_without_text_were_written_at_its_end() -> None:
    silent = [row(number, ttft_ms=None, latency_ms=None, ended_s=BEGIN_S + number + 0.5) for number in range(30)]
    found = over_time(columns(*silent))
    assert found["step_s"] == 2
    assert found["output_token_throughput"] == pytest.approx([40.0] * 15)


def test_percentiles_of_a_step_are_those_of_its_requests() -> None:
    generator = np.random.default_rng(4)
    values = generator.lognormal(5, 0.4, 3_000)
    rows = [
        row(number, sent_s=number * 0.01, ttft_ms=float(values[number]), latency_ms=600.0) for number in range(3_000)
    ]
    found = over_time(columns(*rows))
    size = round(found["step_s"] / 0.01)
    assert size == 20
    for step in (0, 7, 100):
        inside = values[step * size : (step + 1) * size]
        assert found["ttft_p50_ms"][step] == pytest.approx(np.percentile(inside, 50), abs=1e-3)
        assert found["ttft_p95_ms"][step] == pytest.approx(np.percentile(inside, 95), abs=1e-3)
    # Fewer than 20 values have no P95.
    few = over_time(columns(*rows[:30]))
    assert max(few["sent"]) < 20
    assert set(few["ttft_p95_ms"]) == {None}
    # Thirty at once every second: some steps have a P95, and those between have nothing.
    bursts = over_time(columns(*[row(number, sent_s=number // 30) for number in range(3_000)]))
    assert set(zip(bursts["sent"], bursts["ttft_p95_ms"], strict=True)) == {(30, 100.0), (0, None)}


@pytest.mark.parametrize(("count", "seconds"), [(1, 0.0), (2, 1e-4), (100, 0.5), (5_000, 7.0), (2_000, 4e5), (3, 3e6)])
def test_there_are_never_too_many_steps(count: int, seconds: float) -> None:
    rows = [row(number, sent_s=number * seconds / max(count - 1, 1)) for number in range(count)]
    found = over_time(columns(*rows))
    assert 1 <= len(found["offset_s"]) <= MOST_STEPS
    assert sum(found["sent"]) == sum(found["succeeded"]) == count
    assert {len(value) for name, value in found.items() if name not in ("begins_at", "step_s")} == {
        len(found["offset_s"])
    }


def test_there_are_no_steps_without_requests() -> None:
    found = over_time(columns())
    assert (found["begins_at"], found["offset_s"], found["sent"]) == (None, [], [])
    dropped = over_time(columns(row(0, outcome="dropped", ended_s=None)))
    assert (dropped["offset_s"], dropped["sent"]) == ([], [])


def test_an_old_result_without_its_end_counts_at_its_send() -> None:
    found = over_time(columns(row(0, ended_s=None), row(1)))
    assert sum(found["succeeded"]) == 2
