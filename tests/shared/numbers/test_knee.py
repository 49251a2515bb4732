"""The knee of made-up curves, whose true knee is known."""

from random import Random

import pytest

from shared.numbers.knee import find_knee

DOUBLING = [1.0, 2, 4, 8, 16, 32, 64, 128]


@pytest.mark.parametrize("knee", [6.0, 8, 24, 30])
def test_the_knee_of_a_server_with_slots(knee: float) -> None:
    """It lies where the rise reaches the plateau, even between two measured loads."""
    found, reason = find_knee(DOUBLING, [min(load, knee) * 2.5 for load in DOUBLING])
    assert found is not None, reason
    assert found.load == pytest.approx(knee)
    assert found.throughput == pytest.approx(knee * 2.5)
    assert (found.rise, found.tail) == (pytest.approx(2.5), pytest.approx(0, abs=1e-9))
    assert (found.error_reduction, found.peak_share) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize("seed", range(10))
def test_noise_moves_the_knee_little(seed: int) -> None:
    """With 2 % of noise it is found within 10 %."""
    random = Random(seed)
    found, reason = find_knee(DOUBLING, [min(load, 24) * random.gauss(1, 0.02) for load in DOUBLING])
    assert found is not None, reason
    assert found.load == pytest.approx(24, rel=0.1)


def test_throughput_may_fall_behind_the_knee() -> None:
    """A server that thrashes has a knee too."""
    found, _ = find_knee(DOUBLING, [1, 2, 4, 8, 16, 15, 13, 9])
    assert found is not None
    assert found.load == pytest.approx(16, rel=0.1)
    assert found.tail < 0


@pytest.mark.parametrize(
    ("loads", "throughputs", "reason"),
    [
        ([1, 2, 4, 8], [1, 2, 4, 4], "at least 5 different loads"),
        (DOUBLING, [2 * load for load in DOUBLING], "along one line"),
        (DOUBLING, [0.0] * 8, "nothing succeeded"),
        (DOUBLING, [8, 7, 6, 5, 4, 3, 2, 1], "does not rise"),
        # The slope falls to a third only.
        ([1, 2, 3, 4, 5, 6, 7], [3, 6, 9, 12, 13, 14, 15], "33% of its slope"),
        # Up and down by chance.
        ([1, 2, 3, 4, 5, 6], [5, 9, 5, 9, 5, 9], "one fits almost as well"),
        # One load had far more throughput than the plateau.
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], [5, 10, 10, 10, 10, 14, 10, 10, 10], "of the highest"),
    ],
)
def test_curves_without_a_knee(loads: list[float], throughputs: list[float], reason: str) -> None:
    """The reason says why."""
    found, said = find_knee(loads, throughputs)
    assert found is None
    assert reason in said
