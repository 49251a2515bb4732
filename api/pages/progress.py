"""What a running benchmark does, in words: "sending 8 at a time, 412 of 1,000, about 40 s left"."""

from collections.abc import Mapping
from typing import Any

from api.pages.words.numbers import seconds, significant
from shared.benchmark.run_spec import RunSpec
from shared.db.benchmarks.live import LiveState


def doing(state: LiveState, spec: RunSpec) -> str:
    """One sentence: what happens now, how far it has come, and how long it will take, as far as that is known."""
    if state.status == "pending":
        waited_s = (state.read_at - state.created_at).total_seconds()
        return f"Waiting for a worker, for {seconds(max(0, round(waited_s)))}."
    if state.cancel_requested_at is not None:
        return f"Being cancelled: the worker closes the streams, {_count(state)}."
    parts = [f"Sending {_how(state.live or {}, spec)}", _count(state)]
    if (left_s := seconds_left(state, spec)) is not None:
        parts.append(f"about {_about(left_s)} left")
    return ", ".join(parts) + "."


def seconds_left(state: LiveState, spec: RunSpec) -> float | None:
    """By the rate of the last seconds, or by the duration that the load has. None: nobody can say."""
    if state.started_at is None or state.status != "running":
        return None
    elapsed_s = (state.read_at - state.started_at).total_seconds()
    if not state.planned:
        durations = [] if spec.load is None else [stage.duration_s for stage in spec.load.planned_stages]
        known = [item for item in durations if item is not None]
        left_s = sum(known) - elapsed_s
        return round(left_s) if durations and len(known) == len(durations) and left_s > 0 else None
    recent = (state.live or {}).get("recent") or {}
    rate = recent.get("request_rate") or (state.done / elapsed_s if elapsed_s > 0 else 0)
    if not rate or not state.done:
        return None
    left_s = max(0, state.planned - state.done) / rate
    return round(left_s) if left_s >= 1 else None


def _about(left_s: float) -> str:
    """Whole minutes: nobody knows it better."""
    return f"{round(left_s / 60)} min" if 120 <= left_s < 7_200 else seconds(left_s)


def _count(state: LiveState) -> str:
    return f"{state.done:,} of {state.planned:,}" if state.planned else f"{state.done:,} requests so far"


def _how(live: Mapping[str, Any], spec: RunSpec) -> str:
    """`8 at a time`, `5 a second`; of a load with stages, as its present one says."""
    stage = live.get("stage")
    label: Mapping[str, Any] = stage["label"] if stage else {}
    rate = label.get("request_rate") if stage else spec.request_rate
    concurrency = label.get("concurrency") if stage else spec.concurrency
    if not stage and spec.load is not None:
        rate, concurrency = spec.load.request_rate, spec.load.concurrency
    if rate is None and concurrency is None and spec.load is not None:
        rate, concurrency = spec.load.request_rate, spec.load.concurrency
    how = "requests"
    if isinstance(rate, int | float):
        how = f"{significant(rate)} a second"
    elif isinstance(concurrency, int):
        how = "one at a time" if concurrency == 1 else f"{concurrency:,} at a time"
    if (
        not stage
        or spec.load is None
        or (spec.load.stages is None and spec.load.sweep is None and not spec.load.search)
    ):
        return how
    name = label.get("name")
    return f"{how} in stage {stage['number'] + 1}" + (f" ({name})" if isinstance(name, str) else "")
