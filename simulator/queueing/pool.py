"""The queueing mode: slots that the requests of one model name share, and the queue before them.

All times are those of the model, absolute: a request starts when the one before it was due to end, not when the event
loop came to it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from simulator.profile import Profile
from simulator.queueing.prefix_cache import PrefixCache
from simulator.queueing.stalls import Stalls

_NS_PER_MS = 1_000_000
# A client that does not read holds its slot. If an answer ends later than this after it was due, its slot is free from
# then on and not from when it was due.
_LATE_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """What a request asks of its pool: tokens of its prompt, and the keys of the prompt's blocks."""

    input_tokens: int
    blocks: Sequence[bytes] = ()


@dataclass(slots=True)
class Observed:
    """What the requests of a pool were like; the true capacity depends on it."""

    requests: int = 0
    computed_tokens: int = 0
    cached_tokens: int = 0
    answers: int = 0
    events: int = 0


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's place in a pool, from its arrival to its end. `started_ns` is None while it waits."""

    pool: "Pool"
    profile: Profile
    arrived_ns: int
    work: Work
    # Called when the request starts, before anything of its answer is made.
    on_grant: Callable[["Ticket"], None]
    started_ns: int | None = None
    cached_tokens: int = 0
    # When the latest event is due, and how many there were.
    due_ns: int = 0
    events: int = 0
    _on_start: Callable[[], None] | None = None
    _left: bool = False

    def ready(self, on_start: Callable[[], None]) -> bool:
        """Whether the request has its slot. If not, `on_start` is called once it has."""
        if self.started_ns is None:
            self._on_start = on_start
        return self.started_ns is not None

    def next_event_ns(self) -> int:
        """When the next content event is due. Called when the event before was due, because it depends on the load."""
        profile, pool = self.profile, self.pool
        if self.events == 0:
            if self.started_ns is None:
                raise RuntimeError("a request without a slot has no events")
            computed = self.work.input_tokens - self.cached_tokens
            work_ms = profile.ttft_ms + profile.prefill_ms * computed / 1_000
            self.due_ns = pool.stalls.after(self.started_ns, int(work_ms * _NS_PER_MS))
            pool.computes(self)
        else:
            gap_ms = profile.gap_ms * (1 + profile.batch * (pool.running - 1))
            self.due_ns = pool.stalls.after(self.due_ns, int(gap_ms * _NS_PER_MS))
        self.events += 1
        return self.due_ns

    def start(self, at_ns: int) -> None:
        self.started_ns = self.pool.stalls.after(at_ns, 0)
        self.pool.reads(self)
        self.on_grant(self)
        if self._on_start is not None:
            self.pool.call_soon(self._on_start)
            self._on_start = None

    def leave(self, now_ns: int, *, complete: bool) -> None:
        """The request has ended: completely, when its last event was due, or else now."""
        if self._left:
            return
        self._left, self._on_start = True, None
        exact = complete and now_ns - self.due_ns < _LATE_NS
        self.pool.left(self, self.due_ns if exact else now_ns, complete=complete)


@dataclass(slots=True)
class Pool:
    """`slots` 0: no limit. `call_soon` calls a function in the loop's next turn."""

    slots: int
    stalls: Stalls
    cache: PrefixCache
    call_soon: Callable[[Callable[[], None]], object]
    running: int = 0
    observed: Observed = field(default_factory=Observed)
    _queue: deque[Ticket] = field(default_factory=deque)
    # Since when the slots are free that were used before, as a heap. A busy loop may have come to the end of a request
    # before it came to another one that had arrived during it.
    _free_since_ns: list[int] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def enter(
        self,
        profile: Profile,
        arrived_ns: int,
        work: Work,
        on_grant: Callable[[Ticket], None] = lambda ticket: None,
    ) -> Ticket:
        """A request that has arrived. It starts at once if a slot is free."""
        ticket = Ticket(self, profile, arrived_ns, work, on_grant)
        if self.slots and self.running >= self.slots:
            self._queue.append(ticket)
        else:
            ticket.start(max(arrived_ns, self._taken_since()))
            self.running += 1
        return ticket

    def _taken_since(self) -> int:
        """Takes a free slot. Since when it is free; 0: it was never used."""
        if self.slots and self.running + len(self._free_since_ns) >= self.slots:
            return heappop(self._free_since_ns)
        return 0

    def left(self, ticket: Ticket, at_ns: int, *, complete: bool) -> None:
        if ticket.started_ns is None:
            self._queue.remove(ticket)
            return
        if complete:
            self.observed.answers += 1
            self.observed.events += ticket.events
        self.running -= 1
        if self._queue:
            successor = self._queue.popleft()
            self.running += 1
            successor.start(max(at_ns, successor.arrived_ns))
        elif self.slots:
            heappush(self._free_since_ns, at_ns)

    def reads(self, ticket: Ticket) -> None:
        """A request starts: what is in the cache now need not be computed."""
        if ticket.started_ns is not None:
            found = self.cache.read(ticket.work.blocks, ticket.started_ns)
            # The last token is always computed: its output is the first token of the answer.
            ticket.cached_tokens = min(found, ticket.work.input_tokens - 1)
        self.observed.requests += 1
        self.observed.cached_tokens += ticket.cached_tokens
        self.observed.computed_tokens += ticket.work.input_tokens - ticket.cached_tokens

    def computes(self, ticket: Ticket) -> None:
        """A prompt is computed until the first event is due; then other requests can read it."""
        if ticket.work.blocks:
            self.cache.compute(ticket.work.blocks, ticket.due_ns)
