"""Why no worker can run a benchmark, in words. For the sweep that looks for such benchmarks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.providers.identity import LOADS, OWNED

NO_WORKER = "no_worker"
# Which kind names the whole, where workers differ: the first of these.
_KINDS = ("missing_key", "unusable_tls", "unusable_proxy", "too_many_streams")
# The most workers, or groups of them, that a message names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Needed:
    """The endpoint of a benchmark. `key` and `identity` are None if an older version submitted it.

    `streams`: its own, if they are more than some worker allows on this endpoint.
    """

    provider: str
    key: str | None
    identity: Mapping[str, Any] | None = None
    streams: int | None = None


@dataclass(frozen=True, slots=True)
class LivingWorker:
    """A worker that reported lately. `endpoints` is None for an older version, which claims any benchmark."""

    id: str
    endpoints: Sequence[Mapping[str, Any]] | None

    def can_run(self, needed: Needed) -> bool:
        if self.endpoints is None:
            return True
        return any(
            _is(item, needed) and not item["problems"] and not _too_old(item, needed) and not _too_small(item, needed)
            for item in self.endpoints
        )


def why_nobody(needed: Needed, workers: Sequence[LivingWorker]) -> dict[str, str] | None:
    """`kind` and `message` if none of the workers can run it, else None."""
    if any(worker.can_run(needed) for worker in workers):
        return None
    said: dict[str, list[str]] = defaultdict(list)
    kinds = []
    for worker in workers:
        kind, words = _what_it_has(worker, needed)
        kinds.append(kind)
        said[words].append(worker.id)
    kind = next((item for item in _KINDS if item in kinds), NO_WORKER)
    return {"kind": kind, "message": "; ".join([_needs(needed), *_named(said)])}


def _is(held: Mapping[str, Any], needed: Needed) -> bool:
    if needed.key is None:
        return bool(held["name"] == needed.provider)
    return bool(held["key"] == needed.key.removesuffix(LOADS).removesuffix(OWNED))


def _too_old(held: Mapping[str, Any], needed: Needed) -> bool:
    return bool(_unknown(held, needed))


def _unknown(held: Mapping[str, Any], needed: Needed) -> str | None:
    """What a worker of an older version does not know, in words."""
    key = needed.key or ""
    if key.endswith(LOADS) and not held.get("loads"):
        return "load, workload and slos"
    if key.removesuffix(LOADS).endswith(OWNED) and not held.get("owned"):
        return "owners, budgets and exclusive runs"
    return None


def _too_small(held: Mapping[str, Any], needed: Needed) -> bool:
    most = held.get("max_streams")
    return needed.streams is not None and most is not None and needed.streams > most


def _needs(needed: Needed) -> str:
    if needed.identity is None:
        return f"it needs endpoint {needed.provider!r}"
    words = f"it needs endpoint {needed.provider!r} ({needed.identity['protocol']} at {needed.identity['base_url']})"
    if needed.key is not None and "@" in needed.key:
        words += " of the `llmbench run` that submitted it"
    return words


def _what_it_has(worker: LivingWorker, needed: Needed) -> tuple[str, str]:
    """(kind, words) about one worker that cannot run it."""
    endpoints = worker.endpoints or ()
    same = next((item for item in endpoints if _is(item, needed)), None)
    if same is not None and not same["problems"] and _too_small(same, needed):
        return "too_many_streams", f"allows {same['max_streams']:,} streams there, and it has {needed.streams:,}"
    if same is not None and not same["problems"]:
        return NO_WORKER, f"is of a version that does not know {_unknown(same, needed)}"
    if same is not None:
        return str(same["kind"]), f"cannot use it: {', '.join(same['problems'])}"
    other = next((item for item in endpoints if item["name"] == needed.provider), None)
    if other is None:
        return NO_WORKER, "has no endpoint of this name"
    wanted = needed.identity or {}
    if (other["protocol"], other["base_url"]) != (wanted.get("protocol"), wanted.get("base_url")):
        return NO_WORKER, f"has another one of this name ({other['protocol']} at {other['base_url']})"
    if other["fingerprint"] == wanted.get("fingerprint"):
        return NO_WORKER, "belongs to another stack"
    return NO_WORKER, "has it with another configuration (query, headers, options, extra_body, transport or tls)"


def _named(said: Mapping[str, list[str]]) -> list[str]:
    named = [
        f"worker {ids[0]} {words}" if len(ids) == 1 else f"each of {len(ids)} workers {words}"
        for words, ids in sorted(said.items(), key=lambda item: item[1])
    ]
    left = len(named) - _NAMED
    return named if left <= 0 else [*named[:_NAMED], f"{left} more cannot either"]
