"""Statistics of the samples of a time."""

from shared.observing.sample import Sample
from shared.observing.statistics import Observed


def test_mean_maximum_and_end_are_those_of_the_samples_inside() -> None:
    observed = Observed(1_000_000, 3_000_000)
    values = {0: 100.0, 1: 2.0, 2: 6.0, 3: 1.0, 4: 100.0}
    for second, value in values.items():
        observed.add(Sample(second * 1_000_000, {"running": value}, {"timed_out": 1} if second == 2 else {}))
    assert observed.document() == {
        "begin_at": "1970-01-01T00:00:01Z",
        "end_at": "1970-01-01T00:00:03Z",
        "samples": 3,
        "failures": {"timed_out": 1},
        "series": {"running": {"unit": "requests", "mean": 3.0, "max": 6.0, "end": 1.0, "samples": 3}},
    }


def test_seconds_without_a_value_do_not_count_for_its_mean() -> None:
    observed = Observed(0, 9)
    for sample in (Sample(0, {"power_w": 300.0}), Sample(1, {}, {"unreachable": 1}), Sample(2, {"power_w": 100.0})):
        observed.add(sample)
    found = observed.document()
    assert found is not None
    assert (found["series"]["power_w"]["mean"], found["series"]["power_w"]["samples"], found["samples"]) == (200, 2, 3)


def test_nothing_observed_is_no_document() -> None:
    observed = Observed(5, 9)
    observed.add(Sample(4, {"running": 1.0}))
    assert observed.document() is None


def test_the_mean_hit_rate_is_that_of_all_tokens() -> None:
    observed = Observed(0, 9)
    for at_us, (asked, found) in enumerate([(100.0, 90.0), (900.0, 0.0), (0.0, 0.0)]):
        values = {"prefix_cache_queries_per_second": asked, "prefix_cache_hits_per_second": found}
        rate = {"prefix_cache_hit_rate": found / asked} if asked else {}
        observed.add(Sample(at_us, {**values, **rate}))
    document = observed.document()
    assert document is not None
    assert document["series"]["prefix_cache_hit_rate"] == {
        "unit": "share",
        "mean": 0.09,
        "max": 0.9,
        "end": 0.0,
        "samples": 2,
    }
