"""Redis away, empty, restarted, deaf: only a doorbell is gone."""

import asyncio
import signal
import time

from arq.connections import RedisSettings, create_pool

from shared.queue.doorbell import CHANNEL, LISTEN_S, RING_FUNCTION
from shared.queue.redis import QUEUE_NAME, deserialize, serialize
from tests.chaos.conftest import Scenario
from tests.chaos.stack import LEASE_S, NOISE_S, SWEEP_S
from tests.support.programs.deployment import Program
from tests.support.waiting import quickest, until


async def test_away_at_post(scenario: Scenario) -> None:
    """Redis away while a benchmark is submitted and run"""
    await scenario.chaos.redis_proxy.cut()
    number = await quickest(3, lambda: scenario.submit(prompts=6))
    assert (await scenario.chaos.ended(number))["status"] == "completed"
    await scenario.survived("202 within 3 s")


async def test_workers_start_without_it(scenario: Scenario) -> None:
    """Redis away while workers start, run, and are asked to end"""
    await scenario.chaos.redis_proxy.cut()
    await scenario.chaos.end_workers()
    worker = scenario.chaos.start_worker()
    number = await scenario.submit(prompts=6)
    assert (await scenario.chaos.ended(number))["status"] == "completed"
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0
    assert "worker_stopped" in worker.log.read_text()
    await scenario.survived()


async def test_restart(scenario: Scenario) -> None:
    """Redis killed and restarted in mid-run"""
    number = await scenario.submit()
    await scenario.chaos.under_way(number, 2)
    assert scenario.chaos.valkey is not None
    losses = [(worker, _losses(worker)) for worker in scenario.chaos.workers]
    scenario.chaos.valkey.kill()
    waiting = await scenario.submit(prompts=4)

    async def all_have_lost_it() -> bool:
        return all(_losses(worker) > before for worker, before in losses)

    await until(all_have_lost_it)
    scenario.chaos.start_valkey()
    for item in (number, waiting):
        assert (await scenario.chaos.ended(item))["status"] == "completed"
    assert all(worker.running for worker in scenario.chaos.workers)
    account = await scenario.survived()
    assert account.duplicates == 0


def _losses(worker: Program) -> int:
    """How often the worker has lost Redis."""
    return worker.log.read_text().count("doorbell_lost")


async def test_flushall(scenario: Scenario) -> None:
    """FLUSHALL with a backlog"""
    numbers = [await scenario.submit(prompts=8) for _ in range(16)]
    pool = await create_pool(RedisSettings(port=scenario.chaos.redis_port))
    await pool.flushall()
    await pool.aclose(close_connection_pool=True)
    for number in numbers:
        assert (await scenario.chaos.ended(number))["status"] == "completed"
    account = await scenario.survived()
    assert account.duplicates == 0


async def test_partition(scenario: Scenario) -> None:
    """Redis behind a network that swallows every byte, in mid-run"""
    number = await scenario.submit(model="sim-ttft150-gap10-endless", prompts=2)
    await scenario.chaos.worker_of(number)
    scenario.chaos.redis_proxy.swallow = True
    later = await scenario.submit(prompts=4)
    # Nobody hears of the cancel: the heartbeat sees it.
    begin = time.monotonic()
    assert (await scenario.chaos.client.post(f"/benchmarks/{number}/cancel")).status_code == 202
    assert (await scenario.chaos.ended(number))["status"] == "cancelled"
    cancelled_s = time.monotonic() - begin
    assert cancelled_s < LEASE_S / 3 + NOISE_S
    assert (await scenario.chaos.ended(later))["status"] == "completed"
    # Once bytes pass again, the bell is heard at once, without anybody having been restarted.
    scenario.chaos.redis_proxy.swallow = False
    # After LISTEN_S of silence a worker asks whether anybody is there; after LISTEN_S more it connects anew. Nothing
    # tells that it has: Redis counts the connections that lead nowhere as well.
    await asyncio.sleep(2 * LISTEN_S + 2)
    begin = time.monotonic()
    quick = await scenario.submit(prompts=1)
    await scenario.chaos.under_way(quick)
    assert time.monotonic() - begin < SWEEP_S + NOISE_S
    await scenario.survived(f"cancelled by heartbeat after {cancelled_s:.1f} s")


async def test_the_same_message_ten_times(scenario: Scenario) -> None:
    """one benchmark's message delivered ten times, to all workers"""
    pool = await create_pool(
        RedisSettings(port=scenario.chaos.redis_port), job_serializer=serialize, job_deserializer=deserialize
    )
    number = await scenario.submit()
    for copy in range(10):
        await pool.enqueue_job(RING_FUNCTION, number, _job_id=f"again:{number}:{copy}", _queue_name=QUEUE_NAME)
        await pool.publish(CHANNEL, f"pending:{number}")
    await pool.aclose(close_connection_pool=True)
    document = await scenario.chaos.ended(number)
    assert (document["status"], len(document["segments"])) == ("completed", 1)
    account = await scenario.survived()
    assert account.duplicates == 0
