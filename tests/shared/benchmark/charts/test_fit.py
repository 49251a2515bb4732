"""Lines through times by tokens: the right slope, and intervals that hold it as often as they say."""

import numpy as np
import pytest

from shared.benchmark.charts.fit import MIN_PROMPTS, POINTS, fit


def test_a_line_is_found() -> None:
    tokens = np.arange(10.0, 110.0)
    found = fit(tokens, 120 + 0.25 * tokens, np.arange(100))
    assert found is not None
    assert found["slope"] == pytest.approx(0.25)
    assert found["intercept"] == pytest.approx(120)
    assert found["slope_interval"] == pytest.approx([0.25, 0.25])
    assert found["explained"] == pytest.approx(1)
    assert (found["n"], found["prompts"]) == (100, 100)
    line = found["line"]
    assert (line["tokens"][0], line["tokens"][-1], len(line["ms"])) == (10, 109, POINTS)
    assert line["ms"][0] == pytest.approx(122.5)
    assert line["low_ms"] == pytest.approx(line["high_ms"])


@pytest.mark.parametrize("prompts", [12, 40, 400])
def test_intervals_hold_the_slope_as_often_as_they_say(prompts: int) -> None:
    """Each prompt is sent five times, its times share an effect of the prompt, and they spread more for long ones."""
    generator, held, line_held, tries = np.random.default_rng(6), 0, 0, 400
    for _ in range(tries):
        lengths = generator.integers(10, 2_000, prompts).astype(float)
        tokens, owners = np.repeat(lengths, 5), np.repeat(np.arange(prompts), 5)
        effect = np.repeat(generator.normal(0, 30, prompts), 5)
        noise = generator.exponential(1, len(tokens)) * (10 + tokens / 20)
        times = 100 + 0.1 * tokens + effect + noise
        # The mean of the noise is a line of its own.
        slope, intercept = 0.1 + 1 / 20, 110
        found = fit(tokens, times, owners)
        assert found is not None
        low, high = found["slope_interval"]
        held += low <= slope <= high
        middle = found["line"]["tokens"][POINTS // 2]
        truth = intercept + slope * middle
        line_held += found["line"]["low_ms"][POINTS // 2] <= truth <= found["line"]["high_ms"][POINTS // 2]
    # 95 % with a standard deviation of 1.1 %; skewed noise costs a little.
    assert held / tries > 0.91
    assert line_held / tries > 0.91


def test_few_prompts_have_a_line_but_no_interval() -> None:
    tokens = np.repeat(np.arange(MIN_PROMPTS - 1.0), 50)
    found = fit(tokens, 5 + tokens, np.repeat(np.arange(MIN_PROMPTS - 1), 50))
    assert found is not None
    assert (found["slope"], found["slope_interval"]) == (pytest.approx(1), None)
    assert (found["line"]["low_ms"], found["line"]["high_ms"]) == (None, None)


def test_one_prompt_that_alone_has_another_length_has_no_interval() -> None:
    tokens = np.array([10.0] * 20 + [500.0])
    found = fit(tokens, np.arange(21.0), np.arange(21))
    assert found is not None
    assert found["slope_interval"] is None


def test_there_is_no_line_without_two_lengths_or_without_values() -> None:
    equal = np.full(50, 20.0)
    assert fit(equal, np.arange(50.0), np.arange(50)) is None
    assert fit(np.full(50, np.nan), np.arange(50.0), np.arange(50)) is None
    assert fit(np.array([1.0, 2.0]), np.array([1.0, np.nan]), np.arange(2)) is None
    assert fit(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64)) is None


def test_equal_times_are_explained_by_nothing() -> None:
    found = fit(np.arange(30.0), np.full(30, 100.0), np.arange(30))
    assert found is not None
    assert (found["slope"], found["explained"]) == (pytest.approx(0), None)
