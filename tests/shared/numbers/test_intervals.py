"""Intervals hold what they promise, also if values of one prompt depend on each other; else there is none."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.numbers.digest import EXACT, Digest
from shared.numbers.intervals import binomial_ranks
from shared.numbers.percentiles import WITH_INTERVAL
from shared.numbers.statistics import distribution

EDGES = [(50, 6), (90, 36), (95, 72), (99, 368)]
CI = [f"p{percent}_ci95" for percent in WITH_INTERVAL]


def digest(pairs: list[tuple[float, int]]) -> Digest:
    """Of values with their prompts."""
    found = Digest()
    for value, prompt in pairs:
        found.add(value, prompt)
    return found


def exists(count: int, percent: float) -> bool:
    low, high = binomial_ranks(count, percent / 100)
    return low >= 1 and high <= count


@pytest.mark.parametrize(("percent", "least"), EDGES)
def test_a_two_sided_interval_exists_from_this_count_on(percent: int, least: int) -> None:
    assert [exists(count, percent) for count in range(1, 500)] == [count >= least for count in range(1, 500)]


@pytest.mark.parametrize(("percent", "least"), EDGES)
@pytest.mark.parametrize("more", [0, 1, 7, 100, 1_000])
def test_its_ranks_hold_the_percentile_with_95_percent(percent: int, least: int, more: int) -> None:
    """By the binomial distribution in exact fractions: each tail has at most 2.5 %, and one rank less has more."""
    count = least + more
    low, high = binomial_ranks(count, percent / 100)
    weights = [
        math.comb(count, below) * percent**below * (100 - percent) ** (count - below) for below in range(count + 1)
    ]

    def at_most_tail(weight: int) -> bool:
        return 1_000 * weight <= 25 * 100**count

    assert at_most_tail(sum(weights[:low]))
    assert not at_most_tail(sum(weights[: low + 1]))
    assert at_most_tail(sum(weights[high:]))
    assert not at_most_tail(sum(weights[high - 1 :]))


@pytest.mark.parametrize(("percent", "least"), [edge for edge in EDGES if edge[0] in WITH_INTERVAL])
def test_a_distribution_has_the_interval_from_that_count_on(percent: int, least: int) -> None:
    for count, there in ((least - 1, False), (least, True)):
        values = [float(number) for number in range(count)]
        assert (distribution(values)[f"p{percent}_ci95"] is not None) is there
        assert (digest([(value, 3) for value in values]).distribution()[f"p{percent}_ci95"]) is None
        ten_times = [
            (value + repetition / 100, prompt) for prompt, value in enumerate(values) for repetition in range(10)
        ]
        found = digest(ten_times).distribution()
        assert (found[f"p{percent}_ci95"] is not None) is there
        assert found["interval_basis"] == "prompts"


def test_one_value_of_each_prompt_is_as_good_as_independent() -> None:
    values = np.random.default_rng(1).lognormal(3, 1, 400).tolist()
    found = digest([(value, prompt) for prompt, value in enumerate(values)]).distribution()
    assert found == {**distribution(values), "interval_basis": "requests", "relative_error": 0.0}


def test_repetitions_of_one_prompt_have_no_interval() -> None:
    """However many: they may all come from one warm cache."""
    found = digest([(float(number), 0) for number in range(2_000)]).distribution()
    assert {found[name] for name in CI} == {None}
    assert found["p99"] is not None


def test_equal_prompts_count_as_one() -> None:
    values = digest([(float(number), number) for number in range(400)])
    assert values.distribution()["p50_ci95"] is not None
    found = values.distribution(independent=False, same=dict.fromkeys(range(1, 400), 0))
    assert (found["p50_ci95"], found["interval_basis"]) == (None, "prompts")


def test_repeating_each_prompt_does_not_narrow_an_interval() -> None:
    """Ten equal values of each prompt say no more than one."""
    values = np.random.default_rng(2).lognormal(3, 1, 400).tolist()
    once = digest([(value, prompt) for prompt, value in enumerate(values)]).distribution()
    often = digest([(value, prompt) for prompt, value in enumerate(values)] * 10).distribution()
    for name in CI:
        assert often[name] == pytest.approx(once[name], rel=0.02), name


@pytest.mark.heavy
@pytest.mark.parametrize(("prompts", "percent"), [(6, 50), (25, 50), (80, 95), (400, 99)])
@pytest.mark.parametrize("alike", [0.0, 0.7, 1.0])
def test_the_interval_holds_the_true_percentile_95_times_in_100(prompts: int, percent: int, alike: float) -> None:
    """Over 100 to 300 seeded runs of 5 repetitions. `alike`: the share of the variance that lies between prompts."""
    generator = np.random.default_rng(prompts)
    truth = {50: 0.0, 95: 1.6448536269514722, 99: 2.3263478740408408}[percent]
    held, runs = 0, 300 if prompts < 400 else 100
    for _ in range(runs):
        own = generator.normal(size=(prompts, 1)) * math.sqrt(alike)
        data = own + generator.normal(size=(prompts, 5)) * math.sqrt(1 - alike)
        # Digests hold no values far below zero.
        pairs = [(float(value) + 100, prompt) for prompt in range(prompts) for value in data[prompt]]
        low, high = digest(pairs).distribution()[f"p{percent}_ci95"]
        held += low - 100 <= truth <= high - 100
    assert held / runs >= 0.93


values = st.floats(min_value=0, max_value=1e6, allow_nan=False)
pairs = st.lists(st.tuples(values, st.integers(0, 12)), max_size=120)


@settings(max_examples=40, deadline=None)
@given(pairs, st.lists(st.integers(0, 120), max_size=3), st.randoms())
def test_splits_and_order_change_no_interval(
    data: list[tuple[float, int]], cuts: list[int], shuffle: random.Random
) -> None:
    """Also through the stored form."""
    whole = digest(data).distribution()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [Digest.load(digest(data[begin:end]).document()) for begin, end in pairwise(edges)]
    shuffle.shuffle(parts)
    merged = Digest()
    for part in parts:
        merged.merge(part)
    assert merged.distribution() == whole
    shuffled = list(data)
    shuffle.shuffle(shuffled)
    assert digest(shuffled).distribution() == whole


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_an_interval_holds_its_percentile(data: list[tuple[float, int]]) -> None:
    found = digest(data).distribution()
    for percent in WITH_INTERVAL:
        if (interval := found[f"p{percent}_ci95"]) is not None:
            assert interval[0] <= found[f"p{percent}"] <= interval[1]


def test_above_the_bound_it_is_not_known_which_values_depend_on_each_other() -> None:
    data = [(float(number), number) for number in range(EXACT + 1)]
    assert digest(data).distribution()["interval_basis"] == "requests"
    found = digest(data).distribution(independent=False)
    assert ({found[name] for name in CI}, found["interval_basis"]) == ({None}, None)


def test_values_whose_prompts_are_not_known_have_no_interval_unless_they_are_independent() -> None:
    """As an older program stored them."""
    stored = digest([(float(number), 0) for number in range(400)]).document()
    del stored["prompts"]
    old = Digest.load(stored)
    assert old.distribution()["interval_basis"] == "requests"
    assert old.distribution(independent=False)["p50_ci95"] is None
    old.merge(digest([(1.0, 1)]))
    assert old.distribution(independent=False)["interval_basis"] is None
