"""What a host is found to measure right, and where it is said."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from shared.clock import SystemClock
from shared.db.connection.database import Database
from shared.db.workers.repository import WorkerRepository
from shared.providers.key_ring import KeyRing
from shared.queue.doorbell import Doorbell
from shared.queue.redis import client_redis
from shared.settings import Settings
from simulator.server import Simulator
from tests.support.service import WAIT, make_context, make_settings, running_api
from worker.calibration import Calibration, Level, calibrate
from worker.dispatcher import Dispatcher
from worker.engine.children import Children
from worker.webhooks import make_deliverer


def calibration(*errors: tuple[int, float]) -> Calibration:
    """Of these concurrencies and their P99s."""
    levels = [Level(streams, 100, 1_000.0, p99_ms / 2, p99_ms, 0, "A") for streams, p99_ms in errors]
    return Calibration(datetime(2026, 1, 2, tzinfo=UTC), levels)


def test_it_is_within_a_bound_up_to_the_load_before_the_first_that_is_not() -> None:
    found = calibration((1, 0.1), (16, 0.9), (64, 1.1), (256, 0.8), (512, 7))
    assert (found.within(1), found.within(5), found.within(10)) == (16, 256, 512)


def test_a_host_that_cannot_measure_one_stream_is_within_no_bound() -> None:
    assert calibration((1, 6), (16, 0.1)).within(5) is None


async def test_loads_are_measured_against_a_simulator_of_its_own(children: Children) -> None:
    heard: list[int] = []
    found = await calibrate(children, SystemClock(), levels=(8, 5), repeats=3, on_level=heard.append)
    assert heard == [5, 8]
    assert [(level.concurrency, level.requests) for level in found.levels] == [(5, 15), (8, 24)]
    for level in found.levels:
        # 32 tokens 20 ms apart, first token after 200 ms; of three runs the median, as others use the cores too.
        assert level.event_throughput == pytest.approx(level.concurrency * 50, rel=0.4)
        assert 0 <= level.error_p50_ms <= level.error_p99_ms < 100


@pytest.fixture
async def calibrated(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> AsyncIterator[Settings]:
    """A worker whose host was found to manage 16 streams."""
    settings = make_settings(database_url, redis_url, simulator.base_url)
    database, doorbell = Database(database_url), Doorbell(client_redis(redis_url))
    found = calibration((1, 0.1), (16, 4))
    context = make_context(settings, database, KeyRing({}), children, calibration=found)
    dispatcher = Dispatcher(
        context, WorkerRepository(database), doorbell, make_deliverer(settings, database, context.monitor)
    )
    await dispatcher.start()
    yield settings
    await dispatcher.stop()
    await doorbell.close()
    await database.close()


async def test_workers_and_summaries_say_what_was_found(calibrated: Settings) -> None:
    async with running_api(calibrated, KeyRing({})) as client:
        (worker,) = (await client.get("/workers")).json()["items"]
        body = {"name": "x", "model": "sim-ttft5-gap1-n4", "prompts": ["hi"]}
        run = (await client.post("/benchmarks", json=body, headers=WAIT)).json()
    assert worker["alive"] is True
    assert "simulator" in worker["providers"]
    assert (worker["calibration"]["streams_within_1ms"], worker["calibration"]["streams_within_5ms"]) == (1, 16)
    assert [level["concurrency"] for level in worker["calibration"]["levels"]] == [1, 16]
    assert run["summary"]["measurement"]["calibrated"] == {"streams_within_1ms": 1, "streams_within_5ms": 16}
