"""The `load` of a spec: what goes together, what is bounded, and which defaults are written down."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.extra_body import STORED
from shared.benchmark.load.load_spec import LoadSpec, most_requests, room_of, send_for_s, warmup_phase
from shared.benchmark.load.stage_spec import StageSpec
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.without_texts import spec_without_texts


def spec(load: dict[str, Any], **changes: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate(
        {"name": "x", "model": "m", "prompts": ["a", "b"], "repetitions": 3, "load": load, **changes}
    )


def stored(load: dict[str, Any]) -> dict[str, Any]:
    """The load as it is stored."""
    document: dict[str, Any] = spec(load).with_defaults().model_dump(mode="json", exclude_none=True)["load"]
    return document


RATE = {"request_rate": 5.0, "duration_s": 10.0}


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ({}, "no control: give concurrency, request_rate, rate_series or burst"),
        ({"requests": 3}, "no control"),
        ({"concurrency": 2, "request_rate": 3}, "concurrency and request_rate exclude each other"),
        ({"rate_series": [[0, 1]], "burst": {"requests": 1, "every_s": 1}}, "rate_series and burst exclude"),
        ({"concurrency": 2, "max_concurrency": 3}, "max_concurrency is for open loops"),
        ({"concurrency": 2, "drop_after_s": 3}, "drop_after_s is for open loops"),
        ({"concurrency": 2, "stop_when_saturated": True}, "stop_when_saturated is for open loops"),
        ({"concurrency": 2, "arrival": "poisson"}, "arrival goes only with request_rate or rate_series"),
        ({**RATE, "first_wave": "together"}, "first_wave goes only with concurrency"),
        ({**RATE, "think_time_s": 1}, "think_time_s goes only with concurrency"),
        ({**RATE, "burstiness": 2}, "burstiness and arrival gamma belong together"),
        ({**RATE, "arrival": "gamma"}, "burstiness and arrival gamma belong together"),
        ({**RATE, "arrival": "poisson", "burstiness": 2}, "burstiness and arrival gamma belong together"),
        ({"concurrency": 2, "first_wave": "spread"}, "first_wave_s and first_wave spread belong together"),
        ({"concurrency": 2, "first_wave_s": 3}, "first_wave_s and first_wave spread belong together"),
        (
            {"concurrency": 2, "first_wave": "spread", "first_wave_s": 3, "ramp": {"from": 1, "over_s": 3}},
            "ramp and first_wave spread exclude each other",
        ),
        ({"concurrency": 2, "ramp": {"from": 0, "over_s": 3}}, "ramp.from must be a whole number of streams"),
        ({"concurrency": 2, "ramp": {"from": 1.5, "over_s": 3}}, "ramp.from must be a whole number of streams"),
        ({"concurrency": 2, "ramp": {"from": 1_025, "over_s": 3}}, "ramp.from must be a whole number of streams"),
        (
            {"rate_series": [[0, 1]], "ramp": {"from": 1, "over_s": 3}},
            "ramp goes only with concurrency or request_rate",
        ),
        ({"rate_series": [[0, 1], [0, 2]]}, "rate_series: the times of its points must rise"),
        ({"rate_series": [[0, 0], [1, 0]]}, "rate_series: one of the rates must be above 0"),
        (
            {"concurrency": 2, "grace_s": 3},
            "grace_s goes only with duration_s, stop_on_error_rate or stop_when_saturated",
        ),
        ({"concurrency": 2, "warmup": {"concurrency": 3}}, "a warm-up needs requests or duration_s"),
        (
            {"concurrency": 2, "warmup": {"requests": 3, "max_concurrency": 3}},
            "warmup.max_concurrency is for open loops",
        ),
        ({"concurrency": 2, "transition": "seamless"}, "transition goes only with stages"),
        ({"stages": [{"concurrency": 2}], "sweep": {}}, "stages and sweep exclude each other"),
        ({"stages": [{"concurrency": 2}], "requests": 2}, "requests goes into the stages"),
        ({"stages": [{"concurrency": 2}], "warmup": {"requests": 2}}, "warmup goes into the stages"),
        ({"stages": [{"concurrency": 2}], "max_concurrency": 2}, "max_concurrency fits none of the stages"),
        ({"stages": [RATE], "think_time_s": 2}, "think_time_s fits none of the stages"),
        ({"stages": [RATE, {**RATE, "burstiness": 2}]}, "stages[1].burstiness and arrival gamma"),
        ({"stages": [RATE, {**RATE, "warmup": {"requests": 1, "burstiness": 2}}]}, "stages[1].warmup.burstiness"),
        ({"stages": [{}]}, "stages[0] has no control"),
        ({"search": {}, "concurrency": 2}, "concurrency does not go with search"),
        ({"search": {}, "max_concurrency": 2}, "max_concurrency is for open loops"),
        ({"sweep": {"request_rate": [1, 2]}, "think_time_s": 2}, "think_time_s goes only with concurrency"),
        ({"request_rate": 10_000, "duration_s": 101}, "duration_s is too long: at its rate 1,010,000 requests"),
        ({"burst": {"requests": 1_000, "every_s": 1}, "duration_s": 1_000}, "duration_s is too long"),
        ({"stages": [{"concurrency": 2, "requests": 600_000}] * 2}, "must send at most 1,000,000 requests"),
        ({"concurrency": 1, "requests": 1_000_000, "warmup": {"requests": 1}}, "must send at most 1,000,000 requests"),
    ],
)
def test_fields_that_do_not_go_together_are_refused_by_name(load: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec(load)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"concurrency": 1_025},
        {"concurrency": 0},
        {"concurrency": "2"},
        {"request_rate": 10_001},
        {"request_rate": 0},
        {"rate_series": []},
        {"rate_series": [[number, 1] for number in range(10_001)]},
        {"rate_series": [[0, 10_001]]},
        {"rate_series": [[0]]},
        {"burst": {"requests": 1_000_001, "every_s": 1}},
        {"max_concurrency": 1_025},
        {"max_prefill": 0},
        {"drop_after_s": 0},
        {"requests": 1_000_001},
        {"duration_s": 7 * 86_400 + 1},
        {"grace_s": -1},
        {"stop_on_error_rate": 1.1},
        {"seed": -1},
        {"seed": 2**63},
        {"stages": []},
        {"stages": [{"concurrency": 1}] * 101},
        {"stages": [{"concurrency": 1, "seed": 3}]},
        {"pace": 3},
    ],
)
def test_every_field_is_bounded(changes: dict[str, Any]) -> None:
    base = {} if changes.keys() & {"concurrency", "request_rate", "rate_series", "burst", "stages"} else RATE
    with pytest.raises(ValidationError) as caught:
        LoadSpec.model_validate({**base, **changes})
    assert next(iter(changes)) in str(caught.value)


def test_a_search_needs_slos() -> None:
    with pytest.raises(ValidationError, match="set slos as well"):
        spec({"search": {}})
    whole = spec({"search": {}}, slos={"ttft_ms": 500})
    assert whole.with_defaults().load == LoadSpec.model_validate({"search": {}, "seed": 0, "grace_s": 30})


def test_a_search_needs_an_attainment_that_can_be_shown() -> None:
    """The interval of a share never reaches 1, so no probe would be resolved."""
    strict = {"ttft_ms": 500, "attainment": 1}
    with pytest.raises(ValidationError, match=r"set load\.search\.attainment below 1"):
        spec({"search": {}}, slos=strict)
    assert spec({"search": {"attainment": 0.99}}, slos=strict).has_stages
    assert spec({"sweep": {}}, slos=strict).has_stages


def test_an_effective_latency_needs_a_schedule() -> None:
    slos = {"effective_latency_ms": 500}
    for open_loop in (RATE, {"stages": [RATE, {"concurrency": 2}]}, {"sweep": {"request_rate": [1, 2]}}):
        assert spec(open_loop, slos=slos).has_stages
    for closed in ({"concurrency": 2}, {"sweep": {}}, {"search": {}}):
        with pytest.raises(ValidationError, match="effective_latency_ms counts from when a request was due"):
            spec(closed, slos=slos)


@pytest.mark.parametrize("field", ["concurrency", "request_rate", "arrival", "arrival_seed", "warmup"])
def test_the_short_form_and_a_load_exclude_each_other(field: str) -> None:
    value = {"request_rate": 5.0, "arrival": "constant"}.get(field, 1)
    with pytest.raises(ValidationError, match=f"{field} and load exclude each other: set load"):
        spec(RATE, **{field: value})


def test_a_stored_spec_with_a_load_is_read_again() -> None:
    whole = spec({"stages": [RATE, {"concurrency": 2, "ramp": {"from": 1, "over_s": 3}}]}).with_defaults()
    document = whole.model_dump(mode="json", exclude_none=True)
    assert RunSpec.of_stored(document).load == whole.load
    assert BenchmarkSpec.model_validate(document, context=STORED) == whole
    assert BenchmarkSpec.model_validate(document, context=STORED).with_defaults() == whole


def test_a_spec_without_a_load_is_stored_as_before() -> None:
    document = BenchmarkSpec.model_validate({"name": "x", "model": "m", "prompts": ["a"]}).model_dump(mode="json")
    assert "load" not in document


def test_defaults_that_matter_are_written_down() -> None:
    assert stored({"concurrency": 4}) == {"concurrency": 4, "requests": 6, "seed": 0}
    assert stored({**RATE, "seed": 7}) == {
        **RATE,
        "seed": 7,
        "arrival": "constant",
        "grace_s": 30.0,
        "max_concurrency": 50,
    }
    assert stored({"rate_series": [[0, 5], [60, 50]]}) == {
        "rate_series": [[0.0, 5.0], [60.0, 50.0]],
        "duration_s": 60.0,
        "grace_s": 30.0,
        "seed": 0,
        "arrival": "constant",
        "max_concurrency": 500,
    }
    assert stored({"burst": {"requests": 30, "every_s": 4}, "requests": 60})["max_concurrency"] == 60
    sweep = stored({"sweep": {"concurrency": [1, 2]}})
    assert (sweep["seed"], sweep["grace_s"]) == (0, 30.0)


def test_defaults_of_stages_are_written_into_them() -> None:
    load = stored({"stages": [{"concurrency": 2}, RATE], "stop_on_error_rate": 0.5})
    assert load["stages"] == [
        {"concurrency": 2, "requests": 6, "grace_s": 30.0},
        {**RATE, "arrival": "constant", "grace_s": 30.0, "max_concurrency": 50},
    ]
    assert (load["transition"], load["stop_on_error_rate"]) == ("drained", 0.5)
    seamless = stored({"stages": [RATE, RATE], "transition": "seamless"})
    assert seamless["grace_s"] == 30.0
    assert "grace_s" not in seamless["stages"][0]


@pytest.mark.parametrize(
    "load",
    [
        {"concurrency": 4},
        {"stages": [{"concurrency": 2}, RATE], "max_concurrency": 9, "think_time_s": 1, "grace_s": 5},
        {"stages": [RATE, RATE], "transition": "seamless"},
        {"sweep": {"request_rate": [1, 2]}, "arrival": "poisson"},
        {"burst": {"requests": 30, "every_s": 4}},
    ],
)
def test_what_is_stored_is_valid_by_itself(load: dict[str, Any]) -> None:
    assert stored(stored(load)) == stored(load)


def test_limits_beside_stages_hold_for_each_stage_that_they_fit_and_that_sets_none() -> None:
    load = LoadSpec.model_validate(
        {
            "stages": [{"concurrency": 2}, RATE, {**RATE, "max_concurrency": 3, "arrival": "gamma", "burstiness": 2}],
            "max_concurrency": 9,
            "think_time_s": 1,
            "arrival": "poisson",
            "max_prefill": 4,
        }
    )
    closed, first, second = load.planned_stages
    assert (closed.think_time_s, closed.max_concurrency, closed.arrival, closed.max_prefill) == (1, None, None, 4)
    assert (first.think_time_s, first.max_concurrency, first.arrival) == (None, 9, "poisson")
    assert (second.max_concurrency, second.arrival, second.burstiness) == (3, "gamma", 2)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([RATE, {"request_rate": 3.0}], "stages[1].duration_s is needed"),
        ([{**RATE, "requests": 3}, RATE], "stages[0].duration_s is needed, without requests"),
        ([RATE, {"concurrency": 3, "duration_s": 3}], "stages[1].concurrency: seamless stages are all closed loops"),
        ([RATE, {**RATE, "max_prefill": 3}], "stages[1].max_prefill goes beside stages"),
        ([RATE, {**RATE, "warmup": {"requests": 3}}], "stages[1].warmup and first_wave go only into the first"),
    ],
)
def test_stages_that_cannot_follow_without_a_break_are_refused(stages: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LoadSpec.model_validate({"stages": stages, "transition": "seamless"})
    assert message in str(caught.value)
    assert LoadSpec.model_validate({"stages": [RATE, {**RATE, "max_concurrency": 3}], "transition": "seamless"})


def test_a_warm_up_without_a_control_has_that_of_its_stage_without_the_ramp() -> None:
    stage = StageSpec.model_validate(
        {**RATE, "arrival": "poisson", "ramp": {"from": 1, "over_s": 5}, "warmup": {"requests": 3}}
    )
    assert stage.warmup is not None
    warmup = warmup_phase(stage, stage.warmup)
    assert (warmup.request_rate, warmup.arrival, warmup.ramp, warmup.duration_s) == (5, "poisson", None, None)
    own = StageSpec.model_validate({**RATE, "warmup": {"requests": 3, "concurrency": 2}})
    assert own.warmup is not None
    assert warmup_phase(own, own.warmup) == own.warmup


def test_how_many_requests_are_planned_is_known_if_the_phases_count_them() -> None:
    def planned(load: dict[str, Any]) -> int | None:
        return spec(load).with_defaults().load.planned_requests(6)  # type: ignore[union-attr]

    assert planned({"concurrency": 2}) == 6
    assert planned({"concurrency": 2, "requests": 10, "warmup": {"requests": 3}}) == 13
    assert planned({"stages": [{"concurrency": 2}, {"request_rate": 2, "requests": 7}]}) == 13
    assert planned({"concurrency": 2, "duration_s": 3}) is None
    assert planned({"concurrency": 2, "requests": 10, "duration_s": 3}) is None
    assert planned({"concurrency": 2, "requests": 10, "warmup": {"duration_s": 3}}) is None
    assert planned({"sweep": {}}) is None


def test_how_many_requests_a_schedule_makes_due_is_the_integral_of_its_rate() -> None:
    ramp = StageSpec.model_validate({"request_rate": 10, "ramp": {"from": 0, "over_s": 20}, "duration_s": 30})
    assert most_requests(ramp) == 200
    series = StageSpec.model_validate({"rate_series": [[0, 5], [30, 50], [60, 5]]})
    assert (most_requests(series), send_for_s(series)) == (1_650, 60)
    assert most_requests(StageSpec.model_validate({"request_rate": 10, "duration_s": 30, "requests": 50})) == 50
    assert most_requests(StageSpec.model_validate({"burst": {"requests": 5, "every_s": 10}, "duration_s": 25})) == 15
    assert most_requests(StageSpec.model_validate({"concurrency": 10, "duration_s": 30})) is None


def test_an_open_loop_has_room_for_ten_seconds_of_its_highest_rate() -> None:
    assert room_of(StageSpec.model_validate({"rate_series": [[0, 5], [30, 20.05], [60, 5]]})) == 201
    assert room_of(StageSpec.model_validate({"request_rate": 500})) == 1_024
    assert room_of(StageSpec.model_validate({"request_rate": 0.01})) == 1
    assert room_of(StageSpec.model_validate({"request_rate": 500, "requests": 7})) == 7
    assert room_of(StageSpec.model_validate({"concurrency": 7})) == 7


def test_names_of_stages_are_texts_of_the_caller_and_go_with_them() -> None:
    document = stored({"stages": [{**RATE, "name": "secret"}, RATE], "grace_s": 3})
    kept = spec_without_texts({"name": "x", "model": "m", "load": document}, "benchmark 1")["load"]
    assert kept == {
        **document,
        "stages": [{k: v for k, v in stage.items() if k != "name"} for stage in document["stages"]],
    }
    assert spec_without_texts({"load": {"concurrency": 3}}, "n")["load"] == {"concurrency": 3}
    assert "load" not in spec_without_texts({"model": "m"}, "n")
