"""Processes that are killed, stopped and asked to end, with real signals, in the middle of runs."""

import asyncio
import random
import signal
from collections import Counter

import psutil

from shared.clock import monotonic_ns
from tests.chaos.conftest import Scenario
from tests.chaos.random_worker import SEED, lengths, model_of
from tests.chaos.stack import LEASE_S, NOISE_S, SWEEP_S, Chaos
from tests.support.programs.deployment import Program
from tests.support.waiting import PATIENCE_S, until

CONCURRENCY = 2


async def test_kill_one(scenario: Scenario) -> None:
    """kill -9 one worker in mid-run"""
    number = await scenario.submit(concurrency=CONCURRENCY)
    await scenario.chaos.under_way(number, 4)
    victim = await scenario.chaos.worker_of(number)
    killed_ns = monotonic_ns()
    victim.signal(signal.SIGKILL)
    document = await scenario.chaos.ended(number)
    assert document["interrupted"]
    next_ns = min(ns for ns in _received(scenario) if ns > killed_ns)
    gone_s = (next_ns - killed_ns) / 1e9
    # Its lease lapses, and somebody looks.
    assert gone_s <= LEASE_S + SWEEP_S + NOISE_S
    account = await scenario.survived(f"next request after {gone_s:.1f} s of lease {LEASE_S:g} + sweep {SWEEP_S:g}")
    # In flight, and one for each slot: ready, or ended and not yet stored.
    assert account.duplicates <= account.possible_duplicates <= 2 * CONCURRENCY


async def test_kill_at_many_moments(scenario: Scenario) -> None:
    """kill -9 all workers twice, at random moments of four runs with a concurrency of eight"""
    chaos, concurrency, moments = scenario.chaos, 8, random.Random(SEED)
    model = "sim-ttft300-gap10-n4"
    numbers = [await scenario.submit(model=model, prompts=200, concurrency=concurrency) for _ in range(4)]
    for _ in range(2):
        for number in numbers:
            done = (await chaos.read(number))["progress"]["done"]
            await chaos.under_way(number, min(done + 1, 200))
        await asyncio.sleep(moments.uniform(0, 0.5))
        await chaos.end_workers()
        for _ in range(2):
            chaos.start_worker()
    counts = []
    for number in numbers:
        document = await chaos.ended(number)
        assert document["status"] == "completed", document["error"]
        counts += [item["possible_duplicates"] for item in document["segments"] if item["ended_by"] == "crashed"]
    assert len(counts) >= len(numbers)
    assert max(counts) <= 2 * concurrency, counts
    await scenario.survived(f"at most {max(counts)} for one kill, of {len(counts)}")


async def test_kill_in_a_random_workload(scenario: Scenario) -> None:
    """kill -9 a worker in the middle of a seeded random workload"""
    chaos = scenario.chaos
    await chaos.end_workers()
    for _ in range(2):
        # The sequence may not depend on an interpreter's seed of `hash`, which forked programs share.
        chaos.start_worker("tests.chaos.random_worker.WorkerSettings", fresh=True)
    before = chaos.mark()
    number = await scenario.submit(concurrency=CONCURRENCY)
    await chaos.under_way(number, 4)
    (await chaos.worker_of(number)).signal(signal.SIGKILL)
    document = await chaos.ended(number)
    assert document["interrupted"]
    sent = [request["model"] for request in chaos.simulator.requests()[before:]]
    sequence = [model_of(length) for length in lengths(document["progress"]["total"])]
    assert sorted(set(sent)) == sorted(sequence), "what two workers sent is the sequence, no more and no less"
    again = Counter(sent) - Counter(sequence)
    assert again.total() <= document["summary"]["possible_duplicates"]["requests"]
    await chaos.end_workers()
    await scenario.survived("the two workers' requests are exactly the sequence")


async def test_kill_with_defaults(scenario: Scenario) -> None:
    """kill -9 one worker, with the lease and the sweep that are the defaults"""
    await scenario.chaos.end_workers()
    for _ in range(2):
        scenario.chaos.start_worker(LEASE_S="30", SWEEP_S="5")
    number = await scenario.submit(concurrency=CONCURRENCY)
    await scenario.chaos.under_way(number, 4)
    victim = await scenario.chaos.worker_of(number)
    killed_ns = monotonic_ns()
    victim.signal(signal.SIGKILL)
    await scenario.chaos.ended(number)
    gone_s = (min(ns for ns in _received(scenario) if ns > killed_ns) - killed_ns) / 1e9
    assert gone_s <= 45
    await scenario.survived(f"next request after {gone_s:.1f} s")
    await scenario.chaos.end_workers()


async def test_kill_all(scenario: Scenario) -> None:
    """kill -9 all workers, start others"""
    numbers = [await scenario.submit() for _ in range(3)]
    await scenario.chaos.under_way(numbers[0], 2)
    await scenario.chaos.end_workers()
    for _ in range(2):
        scenario.chaos.start_worker()
    for number in numbers:
        assert (await scenario.chaos.ended(number))["status"] == "completed"
    await scenario.survived()


async def test_stop_and_go_on(scenario: Scenario) -> None:
    """SIGSTOP a worker past its lease, then SIGCONT"""
    number = await scenario.submit(prompts=40)
    await scenario.chaos.under_way(number, 3)
    sleeper = await scenario.chaos.worker_of(number)
    await scenario.chaos.freeze(sleeper)
    try:
        await scenario.chaos.until(number, lambda document: len(document["segments"]) == 2)
    finally:
        sleeper.signal(signal.SIGCONT)
    document = await scenario.chaos.ended(number)
    # The loser has noticed and written nothing: its segment is closed by the winner, once.
    assert [segment["ended_by"] for segment in document["segments"]] == ["crashed", "completed"]

    async def noticed() -> str | None:
        text = sleeper.log.read_text()
        return next((event for event in ("lease_lost", "run_abandoned") if event in text), None)

    # The winner may end the run before that.
    assert await until(noticed) == "lease_lost"
    assert sleeper.running
    await scenario.survived()


async def test_six_terms(scenario: Scenario) -> None:
    """SIGTERM six workers one after the other in one run"""
    number = await scenario.submit(prompts=120)
    leavers = []
    for _ in range(6):
        done = (await scenario.chaos.read(number))["progress"]["done"]
        await scenario.chaos.under_way(number, done + 3)
        leaver = await scenario.chaos.worker_of(number)
        leaver.signal(signal.SIGTERM)
        # Its process may take seconds to end, in which the run would too.
        scenario.chaos.workers.remove(leaver)
        leavers.append(leaver)
        scenario.chaos.start_worker()
    document = await scenario.chaos.ended(number)
    assert [await leaver.ended() for leaver in leavers] == [0] * 6
    assert document["status"] == "completed", document["error"]
    assert {segment["ended_by"] for segment in document["segments"][:-1]} == {"released"}
    assert len(document["segments"]) == 7
    account = await scenario.survived(f"{len(document['segments'])} segments")
    # What was in flight could end: nothing is sent twice, and no crash is counted.
    assert (account.duplicates, account.possible_duplicates) == (0, 0)


async def test_term_twice(scenario: Scenario) -> None:
    """SIGTERM twice: streams are closed at once and sent again by another worker"""
    chaos = scenario.chaos
    await chaos.end_workers()
    # Without the second signal it would wait for its streams for longer than this test does.
    leaver = chaos.start_worker(SHUTDOWN_GRACE_S=str(2 * PATIENCE_S))
    # Two of nine hang; once the other seven have ended, both are in flight.
    number = await scenario.submit(model="sim-ttft30-gap10-n4-hanghead-every4", prompts=9, concurrency=3)
    await chaos.under_way(number, 7)
    chaos.start_worker()
    await _heard_by(chaos, 2)
    leaver.signal(signal.SIGTERM)
    await until(lambda: _says(leaver, "worker_stopping"))
    leaver.signal(signal.SIGTERM)
    await chaos.until(number, lambda document: len(document["segments"]) == 2)
    assert await leaver.ended() == 0
    await chaos.ended(number)
    account = await scenario.survived()
    assert account.duplicates == account.possible_duplicates == 2


async def _says(program: Program, event: str) -> bool:
    return event in program.log.read_text()


async def _heard_by(chaos: Chaos, workers: int) -> None:
    """Until so many listen to the doorbell."""

    async def look() -> bool:
        return await chaos.listeners() == workers

    await until(look)


async def test_kill_the_measuring_process(scenario: Scenario) -> None:
    """kill -9 the measuring process: its run fails and says so, the worker goes on"""
    number = await scenario.submit()
    await scenario.chaos.under_way(number, 3)
    worker = await scenario.chaos.worker_of(number)
    busy = max(psutil.Process(worker.pid).children(), key=lambda process: len(process.net_connections()))
    busy.kill()
    document = await scenario.chaos.ended(number)
    assert (document["status"], document["error"]["kind"]) == ("failed", "engine_died")
    other = await scenario.submit(prompts=4)
    assert (await scenario.chaos.ended(other))["status"] == "completed"
    assert worker.running
    await scenario.survived()


async def test_kill_the_api(scenario: Scenario) -> None:
    """kill -9 the API right after a 202"""
    number = await scenario.submit(prompts=6)
    assert scenario.chaos.api is not None
    scenario.chaos.api.kill()
    scenario.chaos.start_api()
    await scenario.chaos.ready()
    assert (await scenario.chaos.ended(number))["status"] == "completed"
    await scenario.survived()


def _received(scenario: Scenario) -> list[int]:
    return [request["received_ns"] for request in scenario.chaos.simulator.requests()]
