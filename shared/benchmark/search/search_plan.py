"""The stages of a search for the highest load that meets the SLOs, and its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.benchmark.load.plan import Plan, Stage, StageResult
from shared.benchmark.results.attainment import Attainment
from shared.benchmark.search.probe import (
    WHOLE,
    Extent,
    Probe,
    StageOf,
    is_disturbed,
    measured,
    throughput_of,
    warmup_of,
)
from shared.benchmark.search.search_answer import answer_of
from shared.benchmark.search.search_spec import SearchSpec
from shared.benchmark.search.search_state import ProbeResult, SearchState

_CONTROL: Final = "concurrency"


@dataclass(frozen=True, slots=True)
class _Sustained:
    """A load that was sustained at the end of the search."""

    concurrency: int
    attainment: Attainment
    aborted: bool

    @property
    def met(self) -> bool:
        return self.attainment.passed and not self.aborted


class SearchPlan(Plan):
    """Stages with the label `{concurrency, repeat}`; those at the end that sustain the answer have `sustain: true`."""

    def __init__(
        self,
        spec: SearchSpec,
        target: float,
        stage_of: StageOf,
    ) -> None:
        """`target`: the attainment that the SLOs ask for."""
        self._spec = spec
        self._target = target if spec.attainment is None else spec.attainment
        self._stage_of = stage_of

    @property
    def planned_requests(self) -> int | None:
        return None

    @property
    def max_in_flight(self) -> int:
        stage = self._stage_of(0, self._probe(self._spec.max, 0))
        return max(phase.pace.max_in_flight for phase in stage.phases)

    def next(self, done: Sequence[StageResult]) -> Stage | None:
        sustained = self._sustained(done)
        if not sustained:
            asked = self._state(done).next()
            if asked is not None:
                return self._stage_of(len(done), self._probe(*asked))
        load = self._to_sustain(done, sustained)
        if load is None:
            return None
        probe = Probe(
            _CONTROL,
            load,
            Extent(duration_s=self._spec.sustain_s),
            warmup_of(self._spec.warmup_s, repeat=True),
            {_CONTROL: load, "sustain": True},
        )
        return self._stage_of(len(done), probe)

    def conclusion(self, done: Sequence[StageResult]) -> dict[str, Any] | None:
        """The answer of the search, and what each probe has shown. docs/load-testing.md explains the words."""
        done = measured(done)
        state, sustained = self._state(done), self._sustained(done)
        answer = answer_of(state, self._spec)
        held = sustained[-1] if sustained else None
        return {
            "kind": "search",
            "control": _CONTROL,
            "attainment_target": self._target,
            "status": answer.status,
            "reason": answer.reason,
            # What was sustained last is the answer, even if it had to be a step lower.
            "concurrency": answer.concurrency if held is None else held.concurrency,
            "highest_passing": state.passing,
            "lowest_failing": state.lowest_failing,
            "flags": list(answer.flags),
            "sustained": [
                {
                    _CONTROL: item.concurrency,
                    **_described(item.attainment),
                    "met_slos": item.met,
                    "aborted": item.aborted,
                }
                for item in sustained
            ],
            "is_sustained": None if held is None else held.met,
            "probes": [
                {
                    _CONTROL: probe.concurrency,
                    **_described(probe.attainment),
                    "aborted": probe.aborted,
                    "request_throughput": throughput_of(stage.results, _CONTROL),
                }
                for probe, stage in zip(state.probes, done, strict=False)
            ],
        }

    def _probe(self, load: int, repeat: int) -> Probe:
        spec, factor = self._spec, 2**repeat
        return Probe(
            _CONTROL,
            load,
            Extent(spec.requests_at(load), spec.probe_s).times(factor),
            warmup_of(spec.warmup_s, repeat=repeat > 0),
            {_CONTROL: load, "repeat": repeat},
        )

    def _to_sustain(self, done: Sequence[StageResult], sustained: Sequence[_Sustained]) -> int | None:
        """The answer of the search; if it was not met for long, one step lower, once."""
        if not self._spec.sustain_s:
            return None
        state = self._state(done)
        load = answer_of(state, self._spec).concurrency
        if load is None or not sustained:
            return load
        if len(sustained) > 1 or sustained[0].met or load <= self._spec.min:
            return None
        lower = [tried for tried in state.tried if tried < load and state.attainment(tried).passed]
        return max(lower, default=max(self._spec.min, load - max(1, round(self._spec.tolerance * load))))

    def _state(self, done: Sequence[StageResult]) -> SearchState:
        probes = [
            ProbeResult(_load(stage), self._attainment(stage), self._is_aborted(stage))
            for stage in done
            if not stage.label.get("sustain")
        ]
        return SearchState(self._spec, self._target, probes)

    def _sustained(self, done: Sequence[StageResult]) -> Sequence[_Sustained]:
        return [
            _Sustained(_load(stage), self._attainment(stage), self._is_aborted(stage))
            for stage in done
            if stage.label.get("sustain")
        ]

    def _is_aborted(self, stage: StageResult) -> bool:
        missed_by_us = is_disturbed(stage.results) and not self._attainment(stage).passed
        return stage.ended_by not in WHOLE or missed_by_us

    def _attainment(self, stage: StageResult) -> Attainment:
        # A request that lacks a metric which an SLO needs is not good.
        return Attainment(stage.results.slo.met, stage.results.slo.attempted, self._target)


def _load(stage: StageResult) -> int:
    load = stage.label[_CONTROL]
    if not isinstance(load, int):
        raise TypeError(f"stage {stage.number} has no {_CONTROL}")
    return load


def _described(attainment: Attainment) -> dict[str, Any]:
    return {
        "met": attainment.met,
        "attempted": attainment.attempted,
        "attainment": attainment.share,
        "attainment_ci95": list(attainment.interval) if attainment.attempted else None,
        "passed": attainment.passed,
        "resolved": attainment.resolved,
    }
