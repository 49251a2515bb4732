"""Draws from a seed: the same in any process, and as random as they should be."""

import subprocess
import sys

import numpy as np
import pytest

from shared.workloads.seeded import key_of, permutation, uniform, words


def test_draws_are_the_same_in_another_process() -> None:
    code = (
        "from shared.workloads.seeded import *;"
        "print(uniform(7, 'input', 3), permutation(key_of(7, 'order', 1, 0), 9).tolist(), words(b'k', 2).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = (uniform(7, "input", 3), permutation(key_of(7, "order", 1, 0), 9).tolist(), words(b"k", 2).tolist())
    assert done.stdout.strip() == " ".join(map(str, here))


def test_a_seed_gives_what_it_gave_in_earlier_versions() -> None:
    """A stored benchmark names only its seed. Another draw would make another benchmark of it."""
    assert key_of(7, "input", 3).hex() == "0cdbc4fb5891c6041555bf46219076ec"
    assert uniform(7, "input", 3) == 0.01865490362594663
    assert permutation(b"k", 8).tolist() == [3, 0, 4, 5, 7, 1, 6, 2]


def test_other_seeds_purposes_and_numbers_give_other_draws() -> None:
    draws = {uniform(*arguments) for arguments in [(1, "a", 1), (2, "a", 1), (1, "b", 1), (1, "a", 2), (1, "a", 1, 0)]}
    assert len(draws) == 5


def test_draws_are_uniform_and_independent_of_their_neighbours() -> None:
    draws = np.array([uniform(1, "x", number) for number in range(20_000)])
    assert draws.min() > 0
    assert draws.max() < 1
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert draws.var() == pytest.approx(1 / 12, abs=0.002)
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03
    # Kolmogorov–Smirnov, 0.1 % level.
    distance = np.abs(np.sort(draws) - (np.arange(20_000) + 0.5) / 20_000).max()
    assert distance < 1.95 / np.sqrt(20_000)


def test_more_words_begin_with_the_same_ones() -> None:
    assert words(b"k", 100)[:10].tolist() == words(b"k", 10).tolist()


def test_every_order_of_a_permutation_is_as_likely() -> None:
    orders = [tuple(permutation(key_of(1, "order", number), 3).tolist()) for number in range(6_000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    assert min(counts) > 850
    assert max(counts) < 1_150
