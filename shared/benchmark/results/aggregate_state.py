"""How an aggregate is stored: as compressed JSON behind a byte that names the format. `RunAggregate` calls it.

Workers of other versions read it, too. So a name keeps its meaning, and each newer name may be missing.
"""

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from shared.benchmark.results.activity import Activity
from shared.benchmark.results.costs import Costs
from shared.benchmark.results.request_sample import RequestSample
from shared.benchmark.results.turns import Turns
from shared.benchmark.slo.slo_counts import SloCounts
from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance
from shared.numbers.time_series import TimeSeries

if TYPE_CHECKING:
    from shared.benchmark.results.aggregate import RunAggregate

FORMAT = b"\x01"

# Attributes that are stored under their own names.
_COUNTERS = ("outcomes", "error_kinds", "flags", "finish_reasons", "served_models", "service_tiers")
_INTEGERS = (
    *("warmup", "without_events", "generated_tokens", "cacheable_tokens", "cached_tokens"),
    *("late", "late_idle_us", "late_busy_us"),
)
_DIGESTS = ("effective_ms", "error_ms", "gaps_ms", "lateness_ms", "network_rtt_ms")


def pack(state: dict[str, Any]) -> bytes:
    return FORMAT + zlib.compress(orjson.dumps(state), 1)


def unpack(stored: bytes) -> dict[str, Any] | None:
    """The state in these bytes. None if they have a format that this version does not know."""
    if not stored.startswith(FORMAT):
        return None
    state: dict[str, Any] = orjson.loads(zlib.decompress(stored[1:]))
    return state


def state_of(aggregate: "RunAggregate") -> dict[str, Any]:
    """The aggregate as JSON."""
    return {
        "wave": aggregate.wave,
        "activity": aggregate.activity.document(),
        "repeats": aggregate.repeats,
        "repeats_turns": aggregate.repeats_turns,
        "counts": aggregate.counts,
        "reported": aggregate.reported,
        **{name: getattr(aggregate, name) for name in (*_COUNTERS, *_INTEGERS)},
        **{name: getattr(aggregate, name).document() for name in _DIGESTS},
        "metrics": {name: digest.document() for name, digest in aggregate.metrics.items()},
        "tokens": aggregate.tokens.document(),
        "prompt_tokens": aggregate.prompt_tokens.document(),
        "turns": aggregate.turns.document(),
        "sample": aggregate.sample.document(),
        "slo": aggregate.slo.document(),
        **aggregate.costs.document(),
        "disturbance": None if aggregate.disturbance is None else aggregate.disturbance.state(),
        "verdicts": aggregate.verdicts,
    }


def restore(aggregate: "RunAggregate", state: dict[str, Any]) -> None:
    """Fills a new aggregate with what `state_of` wrote, in this version or another."""
    aggregate.activity = Activity.load(state["activity"])
    aggregate.costs = Costs.load(state)
    for name in _COUNTERS:
        setattr(aggregate, name, Counter(state.get(name, {})))
    for name in _INTEGERS:
        setattr(aggregate, name, state.get(name, 0))
    for name in _DIGESTS:
        if name in state:
            setattr(aggregate, name, Digest.load(state[name]))
    # Older programs did not say. Without the prompts of the values, no interval is better than a wrong one.
    aggregate.repeats = state.get("repeats", True)
    aggregate.repeats_turns = state.get("repeats_turns", aggregate.repeats)
    # A worker of another version may know other metrics. Those that it did not measure stay empty.
    for name in aggregate.metrics.keys() & state["metrics"].keys():
        aggregate.metrics[name] = Digest.load(state["metrics"][name])
    for name in aggregate.counts.keys() & state["counts"].keys():
        aggregate.counts[name] = state["counts"][name]
    reported = state.get("reported")
    aggregate.reported = None if reported is None else Counter(reported)
    aggregate.tokens = TimeSeries.load(state["tokens"])
    if "prompt_tokens" in state:
        aggregate.prompt_tokens = TimeSeries.load(state["prompt_tokens"])
        aggregate.turns = Turns.load(state["turns"])
        aggregate.sample = RequestSample.load(state["sample"])
        aggregate.slo = SloCounts.load(state["slo"])
    if state["disturbance"] is not None:
        aggregate.disturbance = Disturbance.load(state["disturbance"])
    aggregate.verdicts = [(grade, reasons) for grade, reasons in state["verdicts"]]
