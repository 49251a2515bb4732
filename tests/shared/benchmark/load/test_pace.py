"""Paces: their schedules are exact, follow from the seed alone, and have the distribution that their name says."""

import json
import subprocess
import sys
from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.benchmark.load.pace import (
    Bursts,
    ClosedLoop,
    ConstantRate,
    GammaRate,
    Pace,
    PoissonRate,
    RampedLoop,
    Room,
    Seamless,
    SpreadLoop,
)
from shared.benchmark.load.rate_profile import RateProfile

RAMP = RateProfile([(0, 1), (60, 50)])


def first(pace: Pace, count: int) -> list[int | None]:
    return list(islice(pace.due_ns(), count))


def seconds(pace: Pace, count: int) -> NDArray[np.float64]:
    return np.array(first(pace, count), dtype=float) / 1e9


def kolmogorov_smirnov(values: NDArray[np.float64]) -> float:
    """sqrt(n) times the largest distance between the values' distribution and the uniform one on 0 to 1.

    By Kolmogorov's theorem, a sample of that distribution exceeds 1.95 once in a thousand times.
    """
    values, steps = np.sort(values), np.arange(len(values) + 1) / len(values)
    distance = max(np.max(steps[1:] - values), np.max(values - steps[:-1]))
    return float(np.sqrt(len(values)) * distance)


CRITICAL = 1.95


def erlang_cdf(gaps: NDArray[np.float64], shape: int) -> NDArray[np.float64]:
    """The gamma distribution with a whole shape and a mean of one, in closed form."""
    scaled = gaps * shape
    terms = [np.ones_like(scaled)]
    for number in range(1, shape):
        terms.append(terms[-1] * scaled / number)
    return 1 - np.exp(-scaled) * np.sum(terms, axis=0)


def chi_square_cdf(gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The gamma distribution with shape 1/2 and a mean of one: the square of a standard normal variable."""
    from math import erf, sqrt

    return np.array([erf(sqrt(gap / 2)) for gap in gaps])


def test_constant_arrivals_are_evenly_spaced_and_the_first_is_due_at_once() -> None:
    assert first(ConstantRate(4, 1), 4) == [0, 250_000_000, 500_000_000, 750_000_000]
    assert first(PoissonRate(4, 1, 1), 1) == first(GammaRate(4, 1, 2, 1), 1) == [0]


@pytest.mark.parametrize("seed", range(5))
def test_poisson_gaps_pass_a_kolmogorov_smirnov_test(seed: int) -> None:
    gaps = np.diff(seconds(PoissonRate(20, 1, seed), 20_001)) * 20
    assert kolmogorov_smirnov(1 - np.exp(-gaps)) < CRITICAL


@pytest.mark.parametrize("seed", range(5))
def test_gamma_gaps_pass_a_kolmogorov_smirnov_test(seed: int) -> None:
    bursty = np.diff(seconds(GammaRate(20, 1, 0.5, seed), 20_001)) * 20
    assert kolmogorov_smirnov(chi_square_cdf(bursty)) < CRITICAL
    even = np.diff(seconds(GammaRate(20, 1, 3, seed), 20_001)) * 20
    assert kolmogorov_smirnov(erlang_cdf(even, 3)) < CRITICAL
    same_as_poisson = np.diff(seconds(GammaRate(20, 1, 1, seed), 20_001)) * 20
    assert kolmogorov_smirnov(1 - np.exp(-same_as_poisson)) < CRITICAL


def test_the_test_tells_a_wrong_distribution_from_the_right_one() -> None:
    gaps = np.diff(seconds(GammaRate(20, 1, 0.8, 1), 20_001)) * 20
    assert kolmogorov_smirnov(1 - np.exp(-gaps)) > CRITICAL


@pytest.mark.parametrize("seed", range(5))
def test_poisson_and_gamma_stay_what_they_are_over_a_ramp(seed: int) -> None:
    """After the change of time to the integral of the rate, the gaps have the distribution for a rate of one."""

    def unit_gaps(pace: Pace) -> NDArray[np.float64]:
        due = seconds(pace, 1_300)
        assert due[-1] < 60, "all within the ramp"
        return np.diff(due * 1 + due**2 * (50 - 1) / 60 / 2)

    assert kolmogorov_smirnov(1 - np.exp(-unit_gaps(PoissonRate(RAMP, 1, seed)))) < CRITICAL
    assert kolmogorov_smirnov(erlang_cdf(unit_gaps(GammaRate(RAMP, 1, 3, seed)), 3)) < CRITICAL


@pytest.mark.parametrize("seed", range(5))
def test_poisson_arrivals_over_a_ramp_lie_where_the_rate_puts_them(seed: int) -> None:
    """Given their number, the arrivals of a Poisson process are independent, with the rate's shape as density."""
    due = seconds(PoissonRate(RAMP, 1, seed), 2_000)
    due = due[(due > 0) & (due <= 60)]
    assert len(due) == pytest.approx(60 * 51 / 2, abs=4 * np.sqrt(60 * 51 / 2))
    assert kolmogorov_smirnov((due + due**2 * 49 / 120) / (60 * 51 / 2)) < CRITICAL


@pytest.mark.parametrize(
    "pace", [ConstantRate(500, 1), PoissonRate(500, 1, 3), GammaRate(500, 1, 0.25, 3), GammaRate(500, 1, 4, 3)]
)
def test_rates_are_right_in_the_long_run(pace: Pace) -> None:
    due = seconds(pace, 200_000)
    assert (len(due) - 1) / due[-1] == pytest.approx(500, rel=0.02)


def test_the_shape_says_how_bursty_arrivals_are() -> None:
    """The coefficient of variation of the gaps is 1 / sqrt(shape)."""
    for shape in (0.25, 1, 4):
        gaps = np.diff(seconds(GammaRate(10, 1, shape, 5), 50_000))
        assert gaps.std() / gaps.mean() == pytest.approx(shape**-0.5, rel=0.03)


def test_evenly_spaced_arrivals_over_a_ramp_are_evenly_spaced_in_the_integral_of_the_rate() -> None:
    profile = RateProfile([(0, 0), (10, 10), (20, 10), (30, 2)])
    due = seconds(ConstantRate(profile, 1), 250)
    assert [profile.expected(at_s) for at_s in due] == pytest.approx(range(250), abs=1e-6)
    assert due[0] == 0
    assert due[50] == pytest.approx(10)
    assert due[150] == pytest.approx(20)
    assert np.diff(due[210:]) == pytest.approx(0.5)


def test_nothing_is_due_while_the_rate_is_zero_nor_after_it_has_fallen_to_zero() -> None:
    pause = RateProfile([(0, 10), (1, 10), (1.001, 0), (5, 0), (5.001, 10), (6, 10), (6.001, 0)])
    due = list(PoissonRate(pause, 1, 2).due_ns())
    assert not [at for at in due if at is not None and 1.001e9 < at < 5e9]
    assert len(due) == pytest.approx(20, abs=15)
    assert due[-1] is not None
    assert due[-1] < 6.001e9
    assert first(ConstantRate(RateProfile([(0, 0), (3, 0), (4, 2)]), 1), 1) == [3_000_000_000]


def test_a_rate_is_constant_before_its_first_point() -> None:
    assert first(ConstantRate(RateProfile([(2, 4), (3, 4)]), 1), 3) == [0, 250_000_000, 500_000_000]


@pytest.mark.parametrize("points", [[], [(0, 0)], [(0, -1), (1, 1)], [(1, 1), (1, 2)], [(2, 1), (1, 1)], [(-1, 1)]])
def test_a_rate_that_makes_no_sense_is_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match=r"times|rates"):
        RateProfile(points)


def test_a_schedule_never_falls() -> None:
    points = [(number / 7, float(number % 5)) for number in range(200)]
    due = first(GammaRate(RateProfile(points), 1, 0.2, 1), 400)
    assert all(later >= earlier for earlier, later in pairwise(at for at in due if at is not None))


PACES = "PoissonRate(20, 1, (7, 3)), GammaRate(20, 1, 0.5, (7, 3)), PoissonRate(RateProfile([(0, 1), (60, 50)]), 1, 7)"


def test_equal_seeds_give_equal_schedules_in_another_process() -> None:
    script = (
        "import json; from itertools import islice\n"
        "from shared.benchmark.load.pace import GammaRate, PoissonRate\n"
        "from shared.benchmark.load.rate_profile import RateProfile\n"
        f"print(json.dumps([list(islice(pace.due_ns(), 2_500)) for pace in ({PACES})]))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    own: list[Pace] = [PoissonRate(20, 1, (7, 3)), GammaRate(20, 1, 0.5, (7, 3)), PoissonRate(RAMP, 1, 7)]
    assert json.loads(told) == [first(pace, 2_500) for pace in own]


def test_other_seeds_and_other_parts_give_other_schedules() -> None:
    schedules = [first(PoissonRate(20, 1, seed), 100)[1:] for seed in ((7, 0), (7, 1), (7, 2), (8, 1), (1, 7))]
    due = [at for schedule in schedules for at in schedule]
    assert len(set(due)) == len(due)


def test_a_seed_gives_the_schedule_that_earlier_versions_made_of_it() -> None:
    """Drawn in one go, the first arrival moved to 0."""
    gaps = np.random.default_rng(3).exponential(1 / 20, 3_000)
    expected = (np.cumsum(gaps) - gaps[0]) * 1e9
    assert np.allclose(first(PoissonRate(20, 1, seed=3), 3_000), expected, atol=2)


def test_a_closed_loop_sends_when_there_is_room() -> None:
    assert first(ClosedLoop(4), 3) == [None, None, None]
    assert list(ClosedLoop(4).room()) == [Room(0, 4)]
    assert ClosedLoop(4).think_ns == 0
    assert ClosedLoop(4, think_s=0.5).think_ns == 500_000_000


def test_a_spread_first_wave_opens_one_stream_after_another() -> None:
    pace = SpreadLoop(4, 2)
    assert list(pace.room()) == [Room(0, 1), Room(int(5e8), 2), Room(int(1e9), 3), Room(int(1.5e9), 4)]
    assert pace.max_in_flight == 4


def test_a_ramp_adds_or_takes_away_one_stream_at_a_time() -> None:
    up = RampedLoop(1, 5, 8)
    assert list(up.room()) == [Room(int(number * 2e9), 1 + number) for number in range(5)]
    down = RampedLoop(3, 1, 2)
    assert list(down.room()) == [Room(0, 3), Room(int(1e9), 2), Room(int(2e9), 1)]
    assert list(RampedLoop(3, 3, 2).room()) == [Room(0, 3)]


def test_bursts_come_together_and_again_after_their_time() -> None:
    assert first(Bursts(3, 2.5, 100), 7) == [0, 0, 0, 2_500_000_000, 2_500_000_000, 2_500_000_000, 5_000_000_000]
    assert list(Bursts(3, 2.5, 100).room()) == [Room(0, 100)]


def test_seamless_schedules_follow_each_other_by_time() -> None:
    pace = Seamless([(ConstantRate(2, 10), 2), (ConstantRate(4, 20), 1), (ConstantRate(1, 5), 2)])
    assert [at / 1e9 for at in pace.due_ns() if at is not None] == [0, 0.5, 1, 1.5, 2, 2.25, 2.5, 2.75, 3, 4]
    assert pace.boundaries_ns == (2_000_000_000, 3_000_000_000, 5_000_000_000)
    assert list(pace.room()) == [Room(0, 10), Room(int(2e9), 20), Room(int(3e9), 5)]


def test_a_random_schedule_that_goes_on_seamlessly_does_not_begin_with_an_extra_request() -> None:
    """Its first gap is one like the others, so that a Poisson process stays one across the boundary."""
    begun = [seconds(PoissonRate(1, 1, seed, at_once=False), 1)[0] for seed in range(2_000)]
    assert kolmogorov_smirnov(1 - np.exp(-np.array(begun))) < CRITICAL
    assert first(ConstantRate(4, 1, at_once=False), 2) == [250_000_000, 500_000_000]


def test_seamless_closed_loops_change_their_room_with_time() -> None:
    pace = Seamless([(ClosedLoop(2, 0.5), 10), (RampedLoop(2, 4, 4), 3), (ClosedLoop(1), 5)])
    assert first(pace, 2) == [None, None]
    assert [(at / 1e9, size) for at, size in pace.room()] == [(0, 2), (10, 2), (12, 3), (13, 1)]
    assert (pace.max_in_flight, pace.think_ns) == (3, 500_000_000)


def test_a_closed_loop_and_a_schedule_cannot_be_seamless() -> None:
    with pytest.raises(ValueError, match="without a break"):
        Seamless([(ClosedLoop(2), 10), (ConstantRate(2, 10), 10)])


def test_a_pace_says_which_rate_it_wants() -> None:
    assert ConstantRate(4, 1).rate == PoissonRate(4, 1, 1).rate == 4
    assert Bursts(10, 5, 100).rate == 2
    assert PoissonRate(RAMP, 1, 1).rate == 25.5
    assert ClosedLoop(4).rate is None


@pytest.mark.parametrize(
    ("pace", "settled_s", "due"),
    [
        (ClosedLoop(4), 0, None),
        (RampedLoop(1, 4, 60), 60, None),
        (ConstantRate(5, 10), 0, 50),
        (ConstantRate(RateProfile([(0, 0), (4, 10)]), 10), 4, 80),
        (Bursts(10, 5, 10), 0, 20),
        (Seamless([(ConstantRate(5, 10), 4), (ConstantRate(10, 10), 6)]), 4, 80),
        (Seamless([(ClosedLoop(2), 4), (ClosedLoop(4), 6)]), 4, None),
    ],
)
def test_a_pace_knows_when_it_is_settled_and_how_many_are_due(pace: Pace, settled_s: float, due: float | None) -> None:
    assert (pace.settled_s, pace.expected(10)) == (settled_s, due)
    assert (pace.rate is None) == (due is None)
