"""What a queueing simulator can do, by calculation: the values that a benchmark of it should find."""

from typing import Any
from urllib.parse import unquote

import orjson

from simulator.profile import Profile, UnknownOption
from simulator.queueing.pool import Observed, Pool
from simulator.queueing.pools import Pools

PATH = "/sim/truth"


def truth_response(path: str, pools: Pools, defaults: Profile) -> tuple[int, bytes] | None:
    """Status and JSON body of `/sim/truth` and `/sim/truth/MODEL`. None: the path is another one."""
    if path == PATH:
        found = [(model, pools.latest(model)) for model in pools.models]
        truths = [truth_of(model, latest[1], latest[0]) for model, latest in found if latest is not None]
        return 200, orjson.dumps({"pools": truths})
    if not path.startswith(f"{PATH}/"):
        return None
    model = unquote(path.removeprefix(f"{PATH}/"))
    latest = pools.latest(model)
    if latest is not None:
        return 200, orjson.dumps(truth_of(model, latest[1], latest[0]))
    try:
        return 200, orjson.dumps(truth_of(model, Profile.parse(model, {}, defaults), None))
    except UnknownOption as error:
        return 404, orjson.dumps({"error": str(error)})


def truth_of(model: str, profile: Profile, pool: Pool | None) -> dict[str, Any]:
    """State and capacity. Lengths of prompts and answers are the means of the requests so far, if there were any."""
    observed = Observed() if pool is None else pool.observed
    events, computed = _events(profile, observed), _computed_tokens(profile, observed)
    known = computed is not None
    return {
        "model": model,
        "slots": profile.slots or None,
        "running": 0 if pool is None else pool.running,
        "waiting": 0 if pool is None else pool.waiting,
        "requests": observed.requests,
        "answers": observed.answers,
        "events_per_answer": events,
        "computed_input_tokens_per_request": computed,
        "cached_share": _share(observed),
        "capacity_rps": closed_loop(profile, profile.slots, events, computed or 0)["requests_per_s"]
        if profile.slots and known
        else None,
        "closed_loop": [closed_loop(profile, count, events, computed or 0) for count in _concurrencies(profile.slots)]
        if known
        else None,
    }


def closed_loop(profile: Profile, concurrency: int, events: float, computed_tokens: float) -> dict[str, Any]:
    """Mean values at this concurrency, when each request that ends is followed by the next at once.

    As many requests run as there are slots, at most `concurrency`. By Little's law the latency is the concurrency
    divided by the throughput; the time to first token is what the decoding leaves of it.
    """
    running = min(concurrency, profile.slots) if profile.slots else concurrency
    prefill_ms = profile.ttft_ms + profile.prefill_ms * computed_tokens / 1_000
    decode_ms = max(events - 1, 0) * profile.gap_ms * (1 + profile.batch * (running - 1))
    awake = _awake_share(profile)
    service_ms = (prefill_ms + decode_ms) / awake
    latency_ms = service_ms * concurrency / running
    return {
        "concurrency": concurrency,
        "requests_per_s": running / service_ms * 1_000 if service_ms else None,
        "latency_ms": latency_ms,
        "ttft_ms": latency_ms - decode_ms / awake,
    }


def _concurrencies(slots: int) -> list[int]:
    """1, 2, 4 … up to four times the slots, and the slots themselves."""
    values, value = {slots} if slots else set(), 1
    while value <= (4 * slots or 1_024):
        values.add(value)
        value *= 2
    return sorted(values)


def _awake_share(profile: Profile) -> float:
    if not profile.stall_ms or not profile.stall_every_s:
        return 1.0
    return profile.stall_every_s * 1_000 / (profile.stall_every_s * 1_000 + profile.stall_ms)


def _events(profile: Profile, observed: Observed) -> float:
    if observed.answers:
        return observed.events / observed.answers
    return -(-profile.tokens // profile.chunk) + -(-profile.think // profile.chunk)


def _computed_tokens(profile: Profile, observed: Observed) -> float | None:
    if not profile.prefill_ms:
        return observed.computed_tokens / observed.requests if observed.requests else 0
    return observed.computed_tokens / observed.requests if observed.requests else None


def _share(observed: Observed) -> float | None:
    total = observed.computed_tokens + observed.cached_tokens
    return observed.cached_tokens / total if total else None
