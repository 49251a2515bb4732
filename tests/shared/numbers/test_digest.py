"""A digest is exact while small, close above that, and blind to order and splits."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.numbers.digest import EXACT, RELATIVE_ERROR, Digest
from shared.numbers.statistics import distribution

values = st.floats(min_value=0, max_value=1e7, allow_nan=False)


def of(data: list[float]) -> Digest:
    return Digest(data)


def merged(*parts: Digest) -> Digest:
    whole = Digest()
    for part in parts:
        whole.merge(part)
    return whole


def same(one: Digest, other: Digest) -> bool:
    return one.document() == other.document()


@given(st.lists(values, max_size=60))
def test_few_values_are_kept_as_they_are(data: list[float]) -> None:
    basis = "requests" if data else None
    assert of(data).distribution() == {**distribution(data), "interval_basis": basis, "relative_error": 0.0}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(values, max_size=40), max_size=4), st.integers(0, EXACT), st.randoms())
def test_splitting_and_order_change_nothing(parts: list[list[float]], many: int, shuffle: random.Random) -> None:
    """Below and above the bound."""
    parts = [*parts, [float(number % 977) for number in range(many)]]
    everything = [value for part in parts for value in part]
    whole = of(everything)
    shuffled = list(everything)
    shuffle.shuffle(shuffled)
    assert same(whole, merged(*map(of, parts)))
    assert same(whole, merged(*map(of, reversed(parts))))
    assert same(whole, of(shuffled))


@settings(max_examples=20, deadline=None)
@given(st.lists(values, max_size=60), st.sampled_from([0, EXACT - 30, EXACT]))
def test_values_one_by_one_are_the_same_as_all_at_once(data: list[float], many: int) -> None:
    at_once, one_by_one = of([1.5] * many), of([1.5] * many)
    at_once.extend(data)
    for value in data:
        one_by_one.add(value)
    assert same(at_once, one_by_one)


@settings(max_examples=20, deadline=None)
@given(st.lists(values, max_size=30), st.integers(1, 2 * EXACT), st.integers(1, EXACT))
def test_merging_is_associative(data: list[float], many: int, more: int) -> None:
    a, b, c = of(data), of([1.5] * many), of([float(number) for number in range(more)])
    assert same(merged(merged(a, b), c), merged(a, merged(b, c)))


@pytest.mark.parametrize("seed", range(3))
def test_percentiles_of_many_values_are_within_the_stated_error(seed: int) -> None:
    data = np.random.default_rng(seed).lognormal(4, 1.5, 50_000)
    found = Digest(data.tolist()).distribution()
    assert found["relative_error"] == RELATIVE_ERROR
    for percent in (50, 90, 95, 99):
        assert found[f"p{percent}"] == pytest.approx(np.percentile(data, percent), rel=RELATIVE_ERROR * 1.01)
    assert found["mean"] == pytest.approx(data.mean(), rel=1e-6)
    assert found["stdev"] == pytest.approx(data.std(ddof=1), rel=1e-6)
    assert (found["min"], found["max"], found["count"]) == (data.min(), data.max(), 50_000)


def test_an_interval_of_many_values_is_that_of_their_order_statistics() -> None:
    data = sorted(np.random.default_rng(1).lognormal(3, 1, 20_000).tolist())
    found, exact = Digest(data).distribution(), distribution(data)
    for name in ("p50_ci95", "p95_ci95", "p99_ci95"):
        assert found[name] == pytest.approx(exact[name], rel=RELATIVE_ERROR * 1.01)


def test_zeros_are_values() -> None:
    digest = Digest([0.0] * (EXACT + 1) + [5.0] * 10)
    found = digest.distribution()
    assert (found["p50"], found["min"], found["max"]) == (0.0, 0.0, 5.0)


@pytest.mark.parametrize("count", [0, 1, EXACT, EXACT + 1])
def test_it_is_read_back_as_it_was_written(count: int) -> None:
    digest = Digest([math.sqrt(number) for number in range(count)])
    again = Digest.load(digest.document())
    assert same(digest, again)
    assert digest.distribution() == again.distribution()
    again.add(3.0)
    assert again.count == count + 1


@pytest.mark.parametrize("count", [1, 2, 50, EXACT, EXACT + 1, 3 * EXACT])
@pytest.mark.parametrize("infinite", [0, 1, 7])
def test_a_percentile_with_infinite_values_is_numpys(count: int, infinite: int) -> None:
    """Numpy gets a number in place of infinity which only a percentile that reaches into it exceeds."""
    generator = random.Random(count)
    data = [generator.uniform(1, 1_000) for _ in range(count)]
    for percent in (50, 90, 95, 99, 100):
        truth = float(np.percentile([*data, *[1e15] * infinite], percent))
        found = Digest(data).percentile_with(infinite, percent)
        assert found == (None if truth > 1e6 else pytest.approx(truth, rel=1e-9 if count <= EXACT else RELATIVE_ERROR))


def test_a_percentile_of_infinite_values_alone_is_infinite() -> None:
    assert Digest().percentile_with(0, 50) is None
    assert Digest().percentile_with(3, 50) is None
