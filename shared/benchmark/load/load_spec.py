"""The load of a benchmark as its caller writes it: `load` of a spec. `plans.py` makes stages and paces of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from shared.benchmark.load.rate_profile import RateProfile
from shared.benchmark.load.stage_spec import (
    DEFAULT_GRACE_S,
    MAX_STREAMS,
    OPEN_LOOP_ROOM_S,
    WITH_CONTROL,
    PhaseSpec,
    StageSpec,
    WarmupSpec,
    check_phase,
    ends_early,
    optional,
    refuse,
    timed,
)
from shared.benchmark.prompt import to_tuple
from shared.benchmark.search.search_spec import SearchSpec
from shared.benchmark.search.sweep_spec import SweepSpec

MAX_STAGES_OF_A_SPEC = 100
DEFAULT_SEED = 0
# Beside `stages`, `sweep` or `search` these hold for each stage that does not set them itself.
COMMON = {
    *("arrival", "burstiness", "max_concurrency", "max_prefill", "drop_after_s", "think_time_s"),
    *("grace_s", "stop_on_error_rate", "stop_when_saturated"),
}
_OPEN_ONLY = {"max_concurrency", "drop_after_s", "stop_when_saturated", "arrival", "burstiness"}
# What a stage cannot change while requests go on.
_SAME_WHEN_SEAMLESS = {
    *("max_prefill", "drop_after_s", "think_time_s", "grace_s", "stop_on_error_rate", "stop_when_saturated"),
}


class LoadSpec(PhaseSpec):
    """When to send, how much at a time, and when to end: one load, or `stages`, a `sweep` or a `search`."""

    warmup: WarmupSpec | None = optional(
        description="A phase before the measured one, with a load of its own. It is stored and priced, but not in the "
        "statistics.",
        examples=[{"requests": 10}],
    )
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = optional(
        description="The same seed gives the same schedule. 0 if left out. Each stage and each warm-up draws a "
        "schedule of its own from it.",
        examples=[7],
    )
    stages: (
        Annotated[
            tuple[StageSpec, ...],
            Field(min_length=1, max_length=MAX_STAGES_OF_A_SPEC, fail_fast=True),
            BeforeValidator(to_tuple),
        ]
        | None
    ) = optional(
        description="Loads one after another, each with its own statistics. Limits that are given beside `stages` hold "
        "for each stage that does not set its own. At most 100.",
        examples=[[{"name": "calm", "request_rate": 5, "duration_s": 60}]],
    )
    transition: Literal["drained", "seamless"] | None = optional(
        description="Between stages: wait until all requests have ended (`drained`, default), or go on without a break "
        "(`seamless`). Seamless stages need `duration_s`, and all of them are closed loops or none.",
        examples=["drained"],
    )
    sweep: SweepSpec | None = optional(
        description="Measures several loads one after another, each as a stage: the load curve.",
        examples=[{"concurrency": [1, 2, 4, 8], "duration_s": 30}],
    )
    probe_rate: Annotated[float, Field(gt=0, le=10)] | None = optional(
        description="Requests of one token per second that are sent beside the load, up to 10. They are reported apart "
        "(`probes` of the summary) and count for nothing else.",
        examples=[1],
    )
    search: SearchSpec | None = optional(
        description="Looks for the highest concurrency that meets the `slos`.", examples=[{"start": 4, "max": 256}]
    )

    @property
    def planned_stages(self) -> Sequence[StageSpec]:
        """The stages with their defaults from beside `stages`. A load without `stages` is one stage.

        Empty for a sweep or a search, whose stages follow from results.
        """
        if self.sweep is not None or self.search is not None:
            return []
        if self.stages is None:
            return [StageSpec.model_construct(**_values(self), warmup=self.warmup)]
        return [self._with_common(stage) for stage in self.stages]

    def _with_common(self, stage: StageSpec) -> StageSpec:
        names = COMMON - (_OPEN_ONLY if stage.concurrency is not None else {"think_time_s"})
        if stage.burst is not None or stage.arrival is not None:
            names -= {"arrival", "burstiness"}
        common = {name: getattr(self, name) for name in names if getattr(stage, name) is None}
        whole = stage.model_copy(update=common)
        return whole if ends_early(whole) else whole.model_copy(update={"grace_s": stage.grace_s})

    @model_validator(mode="after")
    def _one_kind(self) -> "LoadSpec":
        many = [name for name in ("stages", "sweep", "search") if getattr(self, name) is not None]
        if len(many) > 1:
            raise ValueError(f"{many[0]} and {many[1]} exclude each other")
        if self.transition is not None and self.stages is None:
            raise ValueError("transition goes only with stages")
        if many:
            where = "goes into the stages" if self.stages is not None else f"does not go with {many[0]}"
            warmup = {"warmup"} if self.warmup is not None else set()
            refuse(self.given() | warmup, {*PhaseSpec.model_fields, "warmup"} - COMMON, "", where)
        return self

    @model_validator(mode="after")
    def _fits(self) -> "LoadSpec":
        if self.sweep is not None or self.search is not None:
            self._check_points("request_rate" if self.sweep and self.sweep.control == "request_rate" else "concurrency")
        if self.stages is not None:
            fit_none = {"think_time_s"} if all(stage.concurrency is None for stage in self.stages) else set()
            fit_none |= _OPEN_ONLY if all(stage.concurrency is not None for stage in self.stages) else set()
            refuse(self.given(), fit_none, "", "fits none of the stages")
        for number, stage in enumerate(self.planned_stages):
            where = "" if self.stages is None else f"stages[{number}]."
            check_phase(stage, where)
            if stage.warmup is not None:
                check_phase(warmup_phase(stage, stage.warmup), f"{where}warmup.")
        if self.transition == "seamless" and self.stages is not None:
            _check_seamless(self.stages)
        return self

    def _check_points(self, control: str) -> None:
        """Whether the limits beside a sweep or a search go with its points."""
        point = {name: getattr(self, name) for name in COMMON - {"grace_s"}}
        check_phase(PhaseSpec.model_construct(**_NOTHING | point | {control: 1}))

    @model_validator(mode="after")
    def _known_count_is_bounded(self) -> "LoadSpec":
        for number, stage in enumerate(self.planned_stages):
            most = most_requests(stage)
            if most is not None and most > 1_000_000:
                where = "" if self.stages is None else f"stages[{number}]."
                raise ValueError(f"{where}duration_s is too long: at its rate {most:,} requests, at most 1,000,000")
        return self

    @property
    def is_closed(self) -> bool:
        """Whether every stage is a closed loop, so that no request is due at a time of its own."""
        if self.sweep is not None:
            return self.sweep.control == "concurrency"
        return all(stage.concurrency is not None for stage in self.planned_stages)

    @property
    def least_prefill(self) -> int | None:
        """The smallest `max_prefill` of any phase; None if none has one."""
        given = [phase.max_prefill for phase in (self, *_phases(self.planned_stages)) if phase.max_prefill is not None]
        return min(given, default=None)

    @property
    def lacks_end(self) -> str | None:
        """The first stage that gives neither `requests` nor `duration_s` nor a rate series; None if all have an end."""
        for number, stage in enumerate(self.planned_stages):
            if stage.requests is None and not timed(stage):
                return "load" if self.stages is None else f"load.stages[{number}]"
        return None

    def planned_requests(self, listed: int | None) -> int | None:
        """How many requests all stages send, warm-up included. None: that depends on the answers or on the schedule.

        `listed`: prompts x repetitions, of a stage that says nothing else.
        """
        total = 0
        for phase in _phases(self.planned_stages):
            number = phase.requests or (None if timed(phase) else listed)
            if number is None or phase.duration_s is not None:
                return None
            total += number
        return total or None

    def most_requests(self, listed: int | None) -> int:
        """At most, or on average in an open loop for a time. Phases of which nothing is known do not count."""
        return sum(
            (phase.requests or listed or 0) if not timed(phase) else (most_requests(phase) or 0)
            for phase in _phases(self.planned_stages)
        )

    def with_defaults(self, listed: int | None) -> "LoadSpec":
        """The load as it is stored: every default that matters to the numbers is written down."""
        update: dict[str, Any] = {"seed": DEFAULT_SEED if self.seed is None else self.seed}
        if self.stages is not None:
            if self.transition == "seamless" and self.grace_s is None:  # the stages share it
                return self.model_copy(update={"grace_s": DEFAULT_GRACE_S}).with_defaults(listed)
            planned = zip(self.stages, self.planned_stages, strict=True)
            update["stages"] = tuple(stage.model_copy(update=_defaults(whole, listed)) for stage, whole in planned)
            update["transition"] = self.transition or "drained"
        elif self.sweep is None and self.search is None:
            update |= _defaults(self.planned_stages[0], listed)
        elif self.grace_s is None:
            update["grace_s"] = DEFAULT_GRACE_S
        return self.model_copy(update=update)


def warmup_phase(stage: StageSpec, warmup: WarmupSpec) -> PhaseSpec:
    """A warm-up with the control of its stage, if it has none of its own."""
    if warmup.control is not None:
        return warmup
    taken = {name: getattr(stage, name) for name in WITH_CONTROL if getattr(warmup, name) is None}
    return warmup.model_copy(update=taken)


def profile_of(phase: PhaseSpec) -> RateProfile | None:
    """The rate of an open loop over time; None for closed loops and bursts."""
    if phase.rate_series is not None:
        return RateProfile(phase.rate_series)
    if phase.request_rate is None:
        return None
    if phase.ramp is None:
        return RateProfile.constant(phase.request_rate)
    return RateProfile([(0, phase.ramp.start), (phase.ramp.over_s, phase.request_rate)])


def send_for_s(phase: PhaseSpec) -> float | None:
    """For how long a phase sends; None: until its requests are sent."""
    if phase.duration_s is None and phase.rate_series is not None and phase.requests is None:
        return max(phase.rate_series[-1][0], 1e-3)
    return phase.duration_s


def most_requests(phase: PhaseSpec) -> int | None:
    """Of a phase: its `requests`, or how many its rate makes due in its time on average. None: not known."""
    length_s, due = send_for_s(phase), None
    if length_s is not None and (profile := profile_of(phase)) is not None:
        due = round(profile.expected(length_s)) or 1
    elif length_s is not None and phase.burst is not None:
        due = (int(length_s / phase.burst.every_s) + 1) * phase.burst.requests
    known = [number for number in (phase.requests, due) if number is not None]
    return min(known) if known else None


def room_of(phase: PhaseSpec) -> int:
    """The most requests in flight of a phase."""
    if phase.concurrency is not None:
        return phase.concurrency
    if phase.max_concurrency is not None:
        return phase.max_concurrency
    if phase.burst is not None:
        needed = phase.burst.requests * max(1.0, OPEN_LOOP_ROOM_S / phase.burst.every_s)
    else:
        profile = profile_of(phase)
        needed = profile.highest * OPEN_LOOP_ROOM_S if profile else 1
    return min(max(1, -int(-needed // 1)), MAX_STREAMS, phase.requests or MAX_STREAMS)


def _values(phase: PhaseSpec) -> dict[str, Any]:
    return {name: getattr(phase, name) for name in PhaseSpec.model_fields}


_NOTHING = dict.fromkeys(PhaseSpec.model_fields)


def _phases(stages: Sequence[StageSpec]) -> list[PhaseSpec]:
    warmups = [warmup_phase(stage, stage.warmup) for stage in stages if stage.warmup is not None]
    return [*stages, *warmups]


def _defaults(stage: StageSpec, listed: int | None) -> dict[str, Any]:
    """The defaults of a stage that it does not give."""
    found: dict[str, Any] = {}
    if stage.requests is None and stage.duration_s is None:
        found |= {"duration_s": send_for_s(stage)} if timed(stage) else {"requests": listed}
    ended = stage.model_copy(update=found)
    if ends_early(ended) and stage.grace_s is None:
        found["grace_s"] = DEFAULT_GRACE_S
    if stage.concurrency is None and stage.max_concurrency is None:
        found["max_concurrency"] = room_of(ended)
    if stage.control in ("request_rate", "rate_series") and stage.arrival is None:
        found["arrival"] = "constant"
    return found


def _check_seamless(stages: Sequence[StageSpec]) -> None:
    """Raises ValueError if the stages cannot follow each other without a break."""
    for number, stage in enumerate(stages):
        where = f"stages[{number}]."
        if stage.duration_s is None or stage.requests is not None:
            raise ValueError(f"{where}duration_s is needed, without requests: seamless stages change by time")
        if (stage.concurrency is None) != (stages[0].concurrency is None):
            raise ValueError(f"{where}{stage.control}: seamless stages are all closed loops (concurrency) or none")
        refuse(stage.given(), _SAME_WHEN_SEAMLESS, where, "goes beside stages: seamless stages share it")
        if number and (stage.warmup is not None or stage.first_wave is not None):
            raise ValueError(f"{where}warmup and first_wave go only into the first of seamless stages")
