"""The answer of a search: the highest load that meets the SLOs, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.benchmark.search.search_spec import SearchSpec
from shared.benchmark.search.search_state import SearchState

Status = Literal["converged", "unmet_at_minimum", "met_at_maximum", "indeterminate"]
Flag = Literal["cliff", "non_monotone"]
# Below this share of requests that meet the SLOs, the first load that fails is no slight miss.
CLIFF_ATTAINMENT = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """`concurrency` is None if no load passed."""

    status: Status
    concurrency: int | None
    reason: str
    flags: Sequence[Flag]


def answer_of(state: SearchState, spec: SearchSpec) -> Answer:
    """What the probes so far allow to say."""
    passing = state.passing
    status, reason = _status(state, spec)
    return Answer(status, passing, reason, _flags(state))


def _status(state: SearchState, spec: SearchSpec) -> tuple[Status, str]:
    passing, failing = state.passing, state.failing
    ends = [load for load in (passing, failing) if load is not None]
    aborted = [load for load in ends if not state.was_measured(load)]
    unclear = [load for load in ends if load not in aborted and not state.resolved(load)]
    if not ends:
        return "indeterminate", "no probe has ended"
    if aborted:
        return "indeterminate", f"every probe at concurrency {_words(aborted)} was broken off or disturbed"
    if not state.is_narrow:
        return "indeterminate", f"{len(state.probes)} probes were not enough to come within {spec.tolerance:.0%}"
    if unclear:
        return "indeterminate", (
            f"at concurrency {_words(unclear)} the attainment is too near to the target for the number of requests"
        )
    if passing is None:
        return "unmet_at_minimum", f"the SLOs are not met at concurrency {failing}"
    if failing is None:
        return "met_at_maximum", f"the SLOs are still met at concurrency {passing}, the highest that was allowed"
    return "converged", f"the SLOs are met at concurrency {passing} and not at {failing}"


def _flags(state: SearchState) -> Sequence[Flag]:
    flags: list[Flag] = []
    passing, failing = state.passing, state.failing
    if passing is not None and failing is not None and state.is_narrow:
        share = state.attainment(failing).share
        if share is not None and share < CLIFF_ATTAINMENT:
            flags.append("cliff")
    sure = [load for load in state.tried if state.resolved(load)]
    passed = [load for load in sure if state.attainment(load).passed]
    if any(load < max(passed, default=0) and not state.attainment(load).passed for load in sure):
        flags.append("non_monotone")
    return flags


def _words(loads: Sequence[int]) -> str:
    return " and ".join(str(load) for load in loads)
