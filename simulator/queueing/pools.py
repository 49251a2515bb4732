"""The pools of a simulator, one for each model name that queues. The service asks for them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.profile import Profile
from simulator.queueing.pool import Pool
from simulator.queueing.prefix_cache import PrefixCache
from simulator.queueing.stalls import Stalls

# A client that invents model names must not fill the memory: idle pools are dropped beyond so many.
_MOST_IDLE = 1_000
_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Pools:
    """By model name. Requests whose headers change the slots, the cache or the stalls have a pool of their own."""

    call_soon: Callable[[Callable[[], None]], object]
    _pools: dict[tuple[str, tuple[float, ...]], Pool] = field(default_factory=dict)
    # The latest pool and profile of each model name.
    _latest: dict[str, tuple[Pool, Profile]] = field(default_factory=dict)

    def of(self, model: str, profile: Profile, now_ns: int) -> Pool:
        """The pool of this model name. Stalls count from its first request."""
        shared = (profile.slots, profile.cache, profile.stall_ms, profile.stall_at_s, profile.stall_every_s)
        key = (model, shared)
        pool = self._pools.get(key)
        if pool is None:
            self._drop_idle()
            stalls = Stalls(
                first_ns=now_ns + int(profile.stall_at_s * 1_000 * _NS_PER_MS),
                for_ns=int(profile.stall_ms * _NS_PER_MS),
                work_ns=int(profile.stall_every_s * 1_000 * _NS_PER_MS),
            )
            pool = self._pools[key] = Pool(profile.slots, stalls, PrefixCache(profile.cache), self.call_soon)
        self._latest[model] = (pool, profile)
        return pool

    def latest(self, model: str) -> tuple[Pool, Profile] | None:
        return self._latest.get(model)

    @property
    def models(self) -> list[str]:
        return list(self._latest)

    def _drop_idle(self) -> None:
        if len(self._pools) < _MOST_IDLE:
            return
        self._pools = {key: pool for key, pool in self._pools.items() if pool.running or pool.waiting}
        kept = {model for model, _ in self._pools}
        self._latest = {model: item for model, item in self._latest.items() if model in kept}
