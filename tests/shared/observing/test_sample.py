"""Counters become rates, and several endpoints become one server."""

import pytest

from shared.observing.sample import Reading, Sampler
from shared.observing.series import BY_NAME

S = 1_000_000_000


def reading(at_ns: int, values: dict[str, float]) -> Reading:
    """Of a server with one engine."""
    counted = {name: {("engine", "0"): value} for name, value in values.items() if BY_NAME[name].is_counter}
    return Reading(at_ns, {name: value for name, value in values.items() if name not in counted}, counted)


def test_a_counter_gives_its_growth_per_second() -> None:
    sampler = Sampler()
    first = sampler.sample(0, [reading(0, {"generation_tokens_per_second": 100.0, "running": 3.0})])
    assert first.values == {"running": 3.0}
    after = sampler.sample(1, [reading(2 * S, {"generation_tokens_per_second": 150.0, "running": 4.0})])
    assert after.values == {"running": 4.0, "generation_tokens_per_second": 25.0}


def test_a_server_that_began_anew_has_no_rate_at_that_moment() -> None:
    sampler = Sampler()
    rates = [
        sampler.sample(0, [reading(second * S, {"generation_tokens_per_second": total})]).values
        for second, total in enumerate([100.0, 110.0, 5.0, 25.0])
    ]
    assert rates == [
        {},
        {"generation_tokens_per_second": 10.0},
        {},
        {"generation_tokens_per_second": 20.0},
    ]


def test_after_a_failure_the_rate_is_that_of_the_whole_gap() -> None:
    sampler = Sampler()
    sampler.sample(0, [reading(0, {"prompt_tokens_per_second": 0.0})])
    failed = sampler.sample(1, ["timed_out"])
    assert (failed.values, failed.failed) == ({}, {"timed_out": 1})
    assert sampler.sample(2, [reading(2 * S, {"prompt_tokens_per_second": 10.0})]).values == {
        "prompt_tokens_per_second": 5.0
    }


def test_several_endpoints_add_up_and_shares_are_their_mean() -> None:
    one, two = {"running": 3.0, "kv_cache_usage": 0.2}, {"running": 4.0, "kv_cache_usage": 0.6}
    sample = Sampler().sample(0, [reading(0, one), reading(0, two), reading(0, {"power_w": 300.0})])
    assert sample.values == {"running": 7.0, "kv_cache_usage": 0.4, "power_w": 300.0}


def test_a_sum_without_one_of_its_endpoints_is_not_known() -> None:
    sampler = Sampler()
    sampler.sample(0, [reading(0, {"running": 3.0}), reading(0, {"running": 4.0, "waiting": 1.0})])
    sample = sampler.sample(1, ["unreachable", reading(S, {"running": 4.0, "waiting": 2.0})])
    assert (sample.values, sample.failed) == ({"waiting": 2.0}, {"unreachable": 1})


def test_the_hit_rate_is_that_of_the_tokens_of_this_second_where_both_are_counted() -> None:
    """The gauge of SGLang speaks of its last batch alone."""
    sampler = Sampler()

    def hit_rate(second: int, asked: float, found: float) -> float | None:
        values = {
            "prefix_cache_queries_per_second": asked,
            "prefix_cache_hits_per_second": found,
            "prefix_cache_hit_rate": 0.99,
        }
        return sampler.sample(0, [reading(second * S, values)]).values.get("prefix_cache_hit_rate")

    assert [hit_rate(0, 100, 50), hit_rate(1, 200, 75), hit_rate(2, 200, 75)] == [None, 0.25, None]
    gauge = Sampler().sample(0, [reading(0, {"prefix_cache_hit_rate": 0.5})])
    assert gauge.values == {"prefix_cache_hit_rate": 0.5}


@pytest.mark.parametrize(
    ("totals", "rates"),
    [
        pytest.param([{0: 100, 1: 5_000}, {0: 110, 1: 5_020}, {0: 120, 1: 5_040}], [None, 30, 30], id="both grow"),
        pytest.param([{0: 100, 1: 900}, {0: 1_400, 1: 100}, {0: 1_500, 1: 200}], [None, None, 200], id="one anew"),
        pytest.param([{0: 100}, {0: 200, 1: 5_000_000}, {0: 300, 1: 5_000_100}], [None, None, 200], id="one comes"),
        pytest.param([{0: 100, 1: 100}, {0: 300}, {0: 400}], [None, None, 100], id="one goes"),
        pytest.param([{0: 100}, {1: 100}, {1: 150}], [None, None, 50], id="another"),
    ],
)
def test_the_engines_of_a_server_are_counted_apart(totals: list[dict[int, float]], rates: list[float | None]) -> None:
    """Growth of one engine must not hide that another began anew."""
    sampler, name = Sampler(), "generation_tokens_per_second"
    readings = [
        Reading(second * S, {}, {name: {("engine", number): total for number, total in of_engine.items()}})
        for second, of_engine in enumerate(totals)
    ]
    assert [sampler.sample(0, [each]).values.get(name) for each in readings] == rates
