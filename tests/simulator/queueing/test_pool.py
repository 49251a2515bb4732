"""The queueing mode on a clock of its own: slots, queue, service times, and the capacity that follows from them."""

from collections.abc import Callable
from heapq import heappop, heappush

import pytest

from simulator.profile import Profile
from simulator.queueing.pool import Pool, Ticket, Work
from simulator.queueing.prefix_cache import PrefixCache, blocks_of
from simulator.queueing.stalls import Stalls
from simulator.queueing.truth import closed_loop, truth_of

MS = 1_000_000


def pool_of(profile: Profile, stalls: Stalls | None = None) -> Pool:
    return Pool(profile.slots, stalls or Stalls(), PrefixCache(profile.cache), lambda callback: callback())


def profile_of(options: str) -> Profile:
    return Profile.parse(f"sim-{options}", {}, Profile())


class Clients:
    """So many clients send one request after another to a pool, in the pool's own time."""

    def __init__(self, profile: Profile, count: int, work: Work, stalls: Stalls | None = None) -> None:
        self.pool = pool_of(profile, stalls)
        self._profile = profile
        self._work = work
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = 0
        self.ended_ns: list[int] = []
        self.latencies_ns: list[int] = []
        self.first_ns: list[int] = []
        for _ in range(count):
            self._send(0)

    def run_until(self, end_ns: int) -> None:
        while self._due and self._due[0][0] <= end_ns:
            due_ns, _, callback = heappop(self._due)
            callback(due_ns)

    def _at(self, due_ns: int, callback: Callable[[int], None]) -> None:
        self._order += 1
        heappush(self._due, (due_ns, self._order, callback))

    def _send(self, now_ns: int) -> None:
        ticket = self.pool.enter(self._profile, now_ns, self._work)
        if ticket.ready(lambda: self._work_on(ticket)):
            self._work_on(ticket)

    def _work_on(self, ticket: Ticket) -> None:
        self._at(ticket.next_event_ns(), lambda now_ns: self._event(ticket, now_ns))

    def _event(self, ticket: Ticket, now_ns: int) -> None:
        if ticket.events == 1:
            self.first_ns.append(now_ns - ticket.arrived_ns)
        if ticket.events < self._profile.tokens:
            self._work_on(ticket)
            return
        self.ended_ns.append(now_ns)
        self.latencies_ns.append(now_ns - ticket.arrived_ns)
        ticket.leave(now_ns, complete=True)
        self._send(now_ns)


def test_requests_beyond_the_slots_wait_in_the_order_in_which_they_came() -> None:
    """A slot that is free goes to the request that has waited for longest, from the moment at which it is free."""
    pool, started = pool_of(profile_of("slots2")), list[int]()
    profile = profile_of("slots2-ttft100-gap10-n1")
    tickets = [
        pool.enter(profile, at * MS, Work(1), lambda ticket: started.append(ticket.arrived_ns // MS))
        for at in (0, 1, 2, 3)
    ]
    assert (pool.running, pool.waiting, started) == (2, 2, [0, 1])
    assert not tickets[2].ready(lambda: None)
    tickets[1].next_event_ns()
    tickets[1].leave(102 * MS, complete=True)  # seen 1 ms late
    assert (started, tickets[2].started_ns) == ([0, 1, 2], 101 * MS)
    tickets[3].leave(110 * MS, complete=False)
    assert (pool.running, pool.waiting) == (2, 0)
    tickets[0].leave(50 * MS, complete=False)
    tickets[0].leave(60 * MS, complete=False)
    assert pool.running == 1, "a request leaves once"


def test_a_request_that_came_while_another_ran_starts_after_it_however_late_it_is_read() -> None:
    """A busy loop ends the first two requests before it reads the third, which had come while they ran."""
    profile = profile_of("slots2-ttft10-gap1-n2")
    pool = pool_of(profile)
    for arrived_ns in (0, 4 * MS):
        ticket = pool.enter(profile, arrived_ns, Work(1))
        due_ns = [ticket.next_event_ns() for _ in range(profile.tokens)][-1]
        ticket.leave(due_ns + 30 * MS, complete=True)
    late = [pool.enter(profile, 5 * MS, Work(1)).started_ns for _ in range(2)]
    assert late == [11 * MS, 15 * MS]


def test_a_slot_that_a_slow_reader_held_is_free_when_it_is_done() -> None:
    """An answer that could not be written for seconds does not let the next one start in the past."""
    pool, profile = pool_of(profile_of("slots1")), profile_of("slots1-ttft100-n1")
    first, second = (pool.enter(profile, 0, Work(1)) for _ in range(2))
    first.next_event_ns()
    first.leave(5_000 * MS, complete=True)
    assert second.started_ns == 5_000 * MS


def test_prefill_grows_with_the_input_and_the_gap_with_the_running_requests() -> None:
    """ttft + prefill x tokens / 1,000, then a gap that each other running request makes longer."""
    profile = profile_of("slots4-ttft10-prefill50-gap10-batch0.5")
    pool = pool_of(profile)
    ticket = pool.enter(profile, 0, Work(2_000))
    assert ticket.next_event_ns() == (10 + 100) * MS
    assert ticket.next_event_ns() == (110 + 10) * MS
    other = pool.enter(profile, 0, Work(1))
    assert ticket.next_event_ns() == (120 + 15) * MS
    other.leave(0, complete=False)
    assert ticket.next_event_ns() == (135 + 10) * MS


@pytest.mark.parametrize("count", [1, 4, 8, 16, 40])
@pytest.mark.parametrize("options", ["slots8-ttft20-gap5-n20", "slots8-ttft20-prefill40-gap5-batch0.3-n20"])
def test_throughput_is_what_the_truth_says(options: str, count: int) -> None:
    """Below, at and beyond the slots, throughput, latency and TTFT are those of the calculation."""
    profile = profile_of(options)
    clients = Clients(profile, count, Work(500))
    clients.run_until(30_000 * MS)
    seconds = (clients.ended_ns[-1] - clients.ended_ns[0]) / 1e9
    # All clients start at the same instant, so that ends come in waves.
    waves = len(clients.ended_ns) // min(count, 8) - 1
    truth = closed_loop(profile, count, 20, 500)
    assert waves * min(count, 8) / seconds == pytest.approx(truth["requests_per_s"], rel=0.01)
    tail = slice(len(clients.latencies_ns) // 2, None)
    latencies, first = clients.latencies_ns[tail], clients.first_ns[tail]
    assert sum(latencies) / len(latencies) / MS == pytest.approx(truth["latency_ms"], rel=0.01)
    assert sum(first) / len(first) / MS == pytest.approx(truth["ttft_ms"], rel=0.01)


def test_truth_speaks_of_the_requests_that_came() -> None:
    """Lengths are those of the requests so far. Without any, a capacity that depends on the prompt is unknown."""
    profile = profile_of("slots8-ttft0-prefill100-gap10-n11-cache100000")
    assert truth_of("m", profile, None)["capacity_rps"] is None
    clients = Clients(profile, 12, Work(1_000))
    clients.run_until(5_000 * MS)
    truth = truth_of("m", profile, clients.pool)
    assert (truth["slots"], truth["running"], truth["waiting"]) == (8, 8, 4)
    assert truth["capacity_rps"] == pytest.approx(8 / 0.2)
    assert [point["concurrency"] for point in truth["closed_loop"]] == [1, 2, 4, 8, 16, 32]
    assert truth["answers"] == len(clients.ended_ns)


def test_truth_without_slots_has_no_capacity() -> None:
    """A server that answers everything at once has none."""
    truth = truth_of("m", profile_of("ttft10-gap1-n11-batch0.1"), None)
    assert (truth["slots"], truth["capacity_rps"]) == (None, None)
    assert truth["closed_loop"][0] == {
        "concurrency": 1,
        "requests_per_s": 50.0,
        "latency_ms": 20.0,
        "ttft_ms": pytest.approx(10),
    }


def test_a_prompt_is_read_from_the_cache_once_it_was_computed() -> None:
    """A request that starts while the same beginning is still computed computes it as well."""
    profile = profile_of("ttft0-prefill1000-cache10000")
    pool, text = pool_of(profile), "x" * 64 * 10
    work = Work(160, blocks_of(text))
    first = pool.enter(profile, 0, work)
    assert (first.cached_tokens, first.next_event_ns()) == (0, 160 * MS)
    assert pool.enter(profile, 100 * MS, work).cached_tokens == 0
    whole = pool.enter(profile, 160 * MS, work)
    assert whole.cached_tokens == 159, "the last token is always computed"
    longer = Work(176, blocks_of(text[: 64 * 5] + "y" * 64 * 6))
    half = pool.enter(profile, 200 * MS, longer)
    assert half.cached_tokens == 80
    assert half.next_event_ns() == (200 + 96) * MS


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    """It never holds more than its size, and the beginning of a prompt leaves after its end."""
    cache = PrefixCache(16 * 4)
    old, new = blocks_of("a" * 64 * 3), blocks_of("b" * 64 * 3)
    cache.compute(old, 10)
    cache.compute(new, 5)
    assert (cache.read(new, 4), cache.read(new, 5)) == (0, 48)
    assert cache.read(old, 10) == 48
    assert cache.read(new, 11) == 16
    assert PrefixCache(0).read(old, 0) == 0


def test_blocks_depend_on_everything_before_them() -> None:
    """A different beginning changes every key; what does not fill a block has none."""
    one, other = blocks_of("a" * 200), blocks_of("b" + "a" * 199)
    assert len(one) == 3
    assert not set(one) & set(other)
    assert blocks_of("a" * 128 + "b" * 64)[:2] == one[:2]


def test_work_steps_over_stalls() -> None:
    """What is in progress when the server stands still is late by the stall, and so is what comes during it."""
    once = Stalls(first_ns=100, for_ns=50)
    assert [once.after(start, 20) for start in (70, 80, 81, 100, 149, 150)] == [90, 100, 151, 170, 170, 170]
    again = Stalls(first_ns=100, for_ns=50, work_ns=10)
    assert again.after(90, 35) == 90 + 35 + 3 * 50
    assert [again.after(at, 0) for at in (99, 100, 130, 155, 161, 209, 210)] == [100 - 1, 150, 150, 155, 210, 210, 210]
    assert Stalls().after(5, 7) == 12


def test_a_stall_delays_every_request_in_progress() -> None:
    """Two seconds of standing still are two seconds in the latency of those that were running or came meanwhile."""
    profile = profile_of("ttft10-gap10-n10")
    clients = Clients(profile, 3, Work(1), Stalls(first_ns=1_005 * MS, for_ns=2_000 * MS))
    clients.run_until(5_000 * MS)
    late = [value for value in clients.latencies_ns if value > 100 * MS]
    assert late == [2_100 * MS] * 3
