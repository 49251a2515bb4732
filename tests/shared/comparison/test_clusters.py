"""What is drawn together: prompts that are repeated, and blocks of time that are as long as the values remember."""

import numpy as np
import pytest

from shared.comparison.bootstrap import MOST_CLUSTERS
from shared.comparison.clusters import Clusters, TooFew, blocks, clusters_of, memory


def slow(count: int, of_last: float, seed: int = 3) -> np.ndarray:
    """Each value keeps this share of the last one."""
    steps = np.random.default_rng(seed).normal(size=count)
    values = np.empty(count)
    values[0] = steps[0]
    for place in range(1, count):
        values[place] = of_last * values[place - 1] + np.sqrt(1 - of_last**2) * steps[place]
    return values


def found(
    first: np.ndarray, prompts: np.ndarray, *, same_texts: bool = False, second: np.ndarray | None = None
) -> list[Clusters | TooFew]:
    other = first if second is None else second
    places = np.arange(len(first)), np.arange(len(other))
    return list(clusters_of((prompts, prompts), places, (first, other), same_texts=same_texts))


def test_independent_values_remember_nothing() -> None:
    generator = np.random.default_rng(1)
    lengths = [memory(generator.lognormal(5, 1, 1_000)) for _ in range(50)]
    assert np.median(lengths) == 1.0
    assert max(lengths) < 3


@pytest.mark.parametrize("of_last", [0.5, 0.8, 0.9])
def test_the_memory_of_slow_values_is_the_sum_of_their_autocorrelations(of_last: float) -> None:
    """(1 + r) / (1 - r) in theory."""
    assert memory(slow(20_000, of_last)) == pytest.approx((1 + of_last) / (1 - of_last), rel=0.25)


def test_equal_values_are_no_trend() -> None:
    assert memory(np.full(500, 7.0)) == 1.0
    assert memory(np.random.default_rng(2).integers(0, 2, 2_000).astype(float)) < 1.5
    assert memory(np.array([1.0])) == 1.0


def test_blocks_are_longer_than_the_memory() -> None:
    """The longer the values remember, the fewer blocks; at last there are too few, and it says how many it takes."""
    iid = np.random.default_rng(4).normal(size=1_000)
    assert blocks(iid, iid) == 32
    assert blocks(iid[:20], iid[:20]) == 20
    assert blocks(slow(1_000, 0.95), iid) in (6, 8, 12)
    few = blocks(slow(100, 0.95), iid[:100])
    assert isinstance(few, TooFew)
    assert few.needed > 100
    assert blocks(iid[:5], iid) == TooFew(6)


def test_prompts_that_are_sent_once_are_drawn_by_time() -> None:
    values = np.random.default_rng(5).normal(size=320)
    (only,) = found(values, np.arange(320))
    assert isinstance(only, Clusters)
    assert (only.basis, only.count_first, only.joint) == ("time", 32, False)
    assert np.bincount(only.first).tolist() == [10] * 32


def test_blocks_without_a_value_do_not_count() -> None:
    """Such as those of a run whose costs are known of its first half alone."""
    values, prompts = np.random.default_rng(5).normal(size=320), np.arange(320)

    def blocks_of(known: int) -> Clusters:
        places = np.arange(320), np.arange(known)
        (only,) = clusters_of((prompts, prompts), places, (values, values[:known]), same_texts=True)
        assert isinstance(only, Clusters)
        return only

    half = blocks_of(160)
    assert (half.joint, half.count_second, half.least) == (True, 32, 16)
    # Too few blocks have values: then the values are cut into blocks of their own.
    few = blocks_of(48)
    assert (few.joint, few.count_second, few.least) == (False, 32, 32)


def test_repeated_prompts_are_drawn_whole_and_time_counts_too() -> None:
    values = np.random.default_rng(6).normal(size=400)
    prompts = np.tile(np.arange(20), 20)
    by_prompt, by_time = found(values, prompts, same_texts=True)
    assert isinstance(by_prompt, Clusters)
    assert isinstance(by_time, Clusters)
    assert (by_prompt.basis, by_prompt.count_first, by_prompt.joint) == ("prompts", 20, True)
    assert (by_prompt.first == by_prompt.second).all()
    assert (by_time.basis, by_time.joint) == ("time", True)


def test_the_same_prompt_of_both_runs_is_one_cluster() -> None:
    """Also if a run lacks prompts of the other."""
    first, second = np.repeat([4, 5, 6, 7, 8, 9, 10], 2), np.repeat([5, 6, 7, 8, 9, 10, 11], 2)
    values = np.random.default_rng(7).normal(size=14)
    places = np.arange(14), np.arange(14)
    by_prompt = clusters_of((first, second), places, (values, values), same_texts=True)[0]
    assert isinstance(by_prompt, Clusters)
    assert by_prompt.count_first == by_prompt.count_second == 8
    assert by_prompt.first[2] == by_prompt.second[0]


def test_many_prompts_are_put_together() -> None:
    values = np.random.default_rng(8).normal(size=2_000)
    by_prompt = found(values, np.tile(np.arange(1_000), 2))[0]
    assert isinstance(by_prompt, Clusters)
    assert by_prompt.count_first == MOST_CLUSTERS
    assert by_prompt.first[0] == by_prompt.first[1_000]


def test_few_prompts_say_nothing_about_others() -> None:
    """Unless both runs have the same ones: then only those are compared."""
    values = np.random.default_rng(9).normal(size=60)
    prompts = np.tile(np.arange(3), 20)
    assert found(values, prompts)[0] == TooFew(120)
    (by_time,) = found(values, prompts, same_texts=True)
    assert isinstance(by_time, Clusters)
    assert by_time.basis == "time"
