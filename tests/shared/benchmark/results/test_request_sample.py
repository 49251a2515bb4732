"""The sample of a run's requests: all of them while they are few, above that a random part that stays small."""

from dataclasses import replace
from random import Random

from shared.benchmark.request_id import RequestId
from shared.benchmark.results import request_sample
from shared.benchmark.results.observed import Observed
from shared.benchmark.results.request_sample import MOST, RequestSample
from tests.shared.benchmark.results.test_aggregate import START_US, observed

PLAIN = observed(0, Random(1))


def result(number: int) -> Observed:
    """Sent every millisecond, takes a millisecond and a half; its TTFT is its number."""
    sent_us = START_US + 1_000 * number
    metrics = {**PLAIN.metrics, "ttft_ms": float(number), "tpot_ms": None}
    return replace(PLAIN, id=RequestId(number), sent_us=sent_us, ended_us=sent_us + 1_500, metrics=metrics)


def sampled(*numbers: int) -> RequestSample:
    sample = RequestSample()
    for number in numbers:
        sample.add(result(number))
    return sample


def test_a_window_has_the_requests_that_were_sent_and_ended_in_it() -> None:
    sample = sampled(*range(10))
    found = sample.within(START_US + 2_000, START_US + 5_500)["ttft_ms"]
    assert (found.count, found.percentile(0), found.max) == (3, 2, 4)
    assert sample.within(START_US, START_US + 1_499)["ttft_ms"].count == 0
    assert sample.within(START_US, START_US + 90_000)["tpot_ms"].count == 0


def test_a_sample_depends_on_its_requests_alone() -> None:
    numbers = list(range(3 * MOST))
    whole = sampled(*numbers)
    Random(3).shuffle(numbers)
    half, other = sampled(*numbers[: len(numbers) // 2]), sampled(*numbers[len(numbers) // 2 :])
    half = RequestSample.load(half.document())
    half.merge(RequestSample.load(other.document()))
    assert half.document() == whole.document()
    assert len(whole.document()["rows"]) == MOST
    assert (whole.count, whole.share) == (3 * MOST, 1 / 3)


def test_a_sample_is_spread_evenly_over_the_run() -> None:
    """Also where the places of a stage begin at a large number, as those of generated workloads do."""
    for first in (0, 7_000_000):
        sample = sampled(*range(first, first + 4 * MOST))
        quarters = [0] * 4
        for value in sample.within(0, 2**62)["ttft_ms"].document()["values"]:
            quarters[(int(value) - first) // MOST] += 1
        # The standard deviation of each is about 31.
        assert all(abs(count - MOST / 4) < 160 for count in quarters)


def test_turns_of_one_place_are_different_requests() -> None:
    numbers = {request_sample._number(RequestId(place, turn)) for place in range(200) for turn in range(50)}
    assert len(numbers) == 10_000
