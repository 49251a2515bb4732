"""Makes the stages of a `load`: paces, ends and places of their warm-ups and measured parts. For `plans.py`."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from shared.benchmark.load.load import Phase
from shared.benchmark.load.load_spec import COMMON, LoadSpec, profile_of, room_of, send_for_s, warmup_phase
from shared.benchmark.load.pace import (
    Bursts,
    ClosedLoop,
    ConstantRate,
    GammaRate,
    Pace,
    PoissonRate,
    RampedLoop,
    Seamless,
    SpreadLoop,
)
from shared.benchmark.load.places import PLACES_A_PART, part_of, place_at
from shared.benchmark.load.plan import Stage
from shared.benchmark.load.stage_spec import DEFAULT_GRACE_S, PhaseSpec, StageSpec
from shared.benchmark.load.stop import AnyOf, ForTime, OnErrorRate, StopRule, WhenSaturated
from shared.benchmark.search.probe import Extent, Probe


def stages_of(load: LoadSpec) -> Sequence[Stage]:
    """The stages of a load that are known beforehand. The load has its defaults (`LoadSpec.with_defaults`)."""
    seed, planned = load.seed or 0, load.planned_stages
    if load.transition == "seamless" and len(planned) > 1:
        return [seamless_stage(planned, seed)]
    return [
        stage_of(stage, number, seed, label_of(stage, alone=len(planned) == 1)) for number, stage in enumerate(planned)
    ]


def stage_of(spec: StageSpec, number: int, seed: int, label: Mapping[str, JsonValue]) -> Stage:
    """A stage with its warm-up. Each of its parts draws its schedule from the seed and its own number."""
    warmup = None if spec.warmup is None else warmup_phase(spec, spec.warmup)
    return Stage(
        number,
        phase_of(spec, place_at(number, 0), seed),
        None if warmup is None else phase_of(warmup, place_at(number, 0, warmup=True), seed),
        label,
    )


def seamless_stage(stages: Sequence[StageSpec], seed: int) -> Stage:
    """Stages without a break between them: one part that is sent as a whole. `boundaries_ns` tells them apart.

    Its label has those of the stages, in their order, as `stages`.
    """
    pieces = [
        (pace_of(stage, (seed, part_of(place_at(number, 0))), at_once=number == 0 or _is_regular(stage)), stage)
        for number, stage in enumerate(stages)
    ]
    pace = Seamless([(piece, stage.duration_s or 0) for piece, stage in pieces])
    first = stages[0]
    whole = first.model_copy(update={"duration_s": sum(stage.duration_s or 0 for stage in stages), "ramp": None})
    ramps_s = [stage.ramp.over_s for stage in stages if stage.ramp is not None]
    measured = Phase(
        pace,
        first=place_at(0, 0),
        end=place_at(0, 0) + PLACES_A_PART,
        # A change of the load is no saturation: it is looked for in the last stage only.
        stop=_stop(whole, pace, settled_s=(pace.boundaries_ns[-2] / 1e9 + (ramps_s[-1] if stages[-1].ramp else 0))),
        drop_after_ns=_ns(first.drop_after_s),
        max_prefill=first.max_prefill,
        boundaries_ns=pace.boundaries_ns,
    )
    warmup = None if first.warmup is None else warmup_phase(first, first.warmup)
    labels: list[JsonValue] = [dict(label_of(stage, alone=False)) for stage in stages]
    return Stage(
        0,
        measured,
        None if warmup is None else phase_of(warmup, place_at(0, 0, warmup=True), seed),
        {"stages": labels},
    )


def phase_of(spec: PhaseSpec, first: int, seed: int) -> Phase:
    """A phase from this place on. It never leaves the places of its part."""
    pace = pace_of(spec, (seed, part_of(first)))
    return Phase(
        pace,
        first=first,
        end=first + (spec.requests or PLACES_A_PART),
        stop=_stop(spec, pace, settled_s=_settled_s(spec)),
        drop_after_ns=_ns(spec.drop_after_s),
        max_prefill=spec.max_prefill,
    )


def pace_of(spec: PhaseSpec, seed: tuple[int, int], *, at_once: bool = True) -> Pace:
    """The pace of a phase. `at_once`: whether the first request of a schedule is due at its start."""
    if spec.concurrency is not None:
        return _closed_loop(spec, spec.concurrency)
    room = room_of(spec)
    if spec.burst is not None:
        return Bursts(spec.burst.requests, spec.burst.every_s, room)
    profile = profile_of(spec)
    if profile is None:
        raise ValueError("the phase has no control")
    if spec.arrival == "poisson":
        return PoissonRate(profile, room, seed, at_once=at_once)
    if spec.arrival == "gamma" and spec.burstiness is not None:
        return GammaRate(profile, room, spec.burstiness, seed, at_once=at_once)
    return ConstantRate(profile, room)


def label_of(stage: StageSpec, *, alone: bool) -> Mapping[str, JsonValue]:
    """What tells a stage from others: its name and the value of its control. Nothing if it is the only one."""
    named: dict[str, JsonValue] = {} if stage.name is None else {"name": stage.name}
    if alone or stage.control is None:
        return named
    value = stage.concurrency if stage.concurrency is not None else stage.request_rate
    return {**named, stage.control: True if value is None else value}


def probe_stage(load: LoadSpec, number: int, probe: Probe) -> Stage:
    """The stage of a sweep or a search that measures one load. The limits beside `sweep` or `search` hold for it."""
    value = int(probe.value) if probe.control == "concurrency" else probe.value
    limits = {name: getattr(load, name) for name in COMMON}
    stage = StageSpec.model_construct(**dict.fromkeys(StageSpec.model_fields) | limits | {probe.control: value})
    warmup = None
    if probe.warmup is not None:
        warmup = stage.model_copy(update={**_extent(probe.warmup), "stop_on_error_rate": None, "drop_after_s": None})
    seed = load.seed or 0
    return Stage(
        number,
        phase_of(stage.model_copy(update=_extent(probe.measured)), place_at(number, 0), seed),
        None if warmup is None else phase_of(warmup, place_at(number, 0, warmup=True), seed),
        probe.label,
    )


def _extent(extent: Extent) -> dict[str, float | None]:
    return {"requests": extent.requests, "duration_s": extent.duration_s}


def _closed_loop(spec: PhaseSpec, concurrency: int) -> Pace:
    think_s = spec.think_time_s or 0
    if spec.ramp is not None:
        return RampedLoop(int(spec.ramp.start), concurrency, spec.ramp.over_s, think_s)
    if spec.first_wave_s is not None:
        return SpreadLoop(concurrency, spec.first_wave_s, think_s)
    return ClosedLoop(concurrency, think_s)


def _stop(spec: PhaseSpec, pace: Pace, *, settled_s: float) -> StopRule:
    rules: list[StopRule] = []
    grace_s = DEFAULT_GRACE_S if spec.grace_s is None else spec.grace_s
    if (length_s := send_for_s(spec)) is not None:
        rules.append(ForTime(length_s, grace_s))
    if spec.stop_on_error_rate is not None:
        # In an open loop the room is a cap and not what is usually in flight, so 10 results are enough.
        rules.append(OnErrorRate.of_load(spec.stop_on_error_rate, spec.concurrency or 0, grace_s))
    if spec.stop_when_saturated:
        rules.append(WhenSaturated(ramp_s=settled_s, grace_s=grace_s))
    return rules[0] if len(rules) == 1 else AnyOf(rules)


def _settled_s(spec: PhaseSpec) -> float:
    """From when on the load stays the same."""
    profile = profile_of(spec)
    return 0 if profile is None else profile.settled_s


def _is_regular(stage: StageSpec) -> bool:
    """Whether its schedule begins at its start also after another stage: nothing is left of a gap before."""
    return stage.arrival not in ("poisson", "gamma")


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)
