"""Finds the highest load that this host measures exactly: runs the engine against the simulator, which logs its sends.

Engine, decoding and simulator share this machine's cores, so a remote endpoint is measured at least as exactly.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from shared.benchmark.load.load import Load
from shared.benchmark.prompt import Message, Parameters, Prompt
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.timeouts import Timeouts
from shared.clock import Clock
from shared.providers.adapters import adapter_for
from shared.providers.endpoints import Endpoint
from shared.scrubber import Scrubber
from shared.workloads.loads import load_of
from worker.engine.children import Child, Children, processes_for
from worker.engine.engine import Engine
from worker.engine.planned import MeasureContext, RunClock
from worker.engine.sdk_clients import make_target

LEVELS = (1, 16, 64, 256, 512, 1_024)
REPEATS = 3
# TTFT 200 ms, 20 ms between tokens: like a fast hosted model.
MODEL = "sim-ttft200-gap20-n32"
# The fewest requests of a repeat, so that a single stream also gives more than one value.
LEAST_REQUESTS = 5
_START_S = 30
_TIMEOUTS = Timeouts(connect_s=30, ttft_s=60, idle_s=60, total_s=120)


class CannotCalibrate(Exception):
    """The simulator did not start, a request to it failed, or a measuring process died."""


@dataclass(frozen=True, slots=True)
class Level:
    """Errors of the time to first token at one concurrency: medians of the repeats, in ms."""

    concurrency: int
    requests: int
    event_throughput: float
    error_p50_ms: float
    error_p99_ms: float
    doubtful: int
    grade: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """What this host can measure. `levels` rise in concurrency."""

    measured_at: datetime
    levels: Sequence[Level]

    def within(self, bound_ms: float) -> int | None:
        """The highest concurrency up to which the P99 of the error keeps the bound; None if the lowest does not."""
        highest = None
        for level in self.levels:
            if level.error_p99_ms > bound_ms:
                break
            highest = level.concurrency
        return highest

    def document(self) -> dict[str, Any]:
        """As the worker's row stores it, `GET /workers` shows it and `llmbench calibrate --json` prints it."""
        return {
            "measured_at": self.measured_at.isoformat(),
            "streams_within_1ms": self.within(1),
            "streams_within_5ms": self.within(5),
            "levels": [
                {
                    "concurrency": level.concurrency,
                    "requests": level.requests,
                    "event_throughput": round(level.event_throughput),
                    "error_p50_ms": round(level.error_p50_ms, 3),
                    "error_p99_ms": round(level.error_p99_ms, 3),
                    "doubtful_requests": level.doubtful,
                    "grade": level.grade,
                }
                for level in self.levels
            ],
        }


async def calibrate(
    children: Children,
    clock: Clock,
    *,
    processes_setting: int = 0,
    levels: Sequence[int] = LEVELS,
    repeats: int = REPEATS,
    on_level: Callable[[int], None] = lambda _: None,
) -> Calibration:
    """Measures at each concurrency, after passing it to `on_level`. Raises CannotCalibrate."""
    measured = []
    for concurrency in sorted(levels):
        on_level(concurrency)
        measured.append(await _measure(children, clock, concurrency, processes_setting, repeats))
    return Calibration(clock.wall_now(), measured)


async def _measure(children: Children, clock: Clock, concurrency: int, processes_setting: int, repeats: int) -> Level:
    import numpy as np  # not where a worker starts: it takes 0.1 s

    # Whole waves: every stream sends the same number of requests.
    count, runs = concurrency * -(-LEAST_REQUESTS // concurrency), []
    with tempfile.TemporaryDirectory(prefix="llmbench-calibrate-") as folder:
        log = Path(folder) / "requests.jsonl"
        async with _simulator(log) as url:
            for _ in range(repeats):
                async with children.lend(processes_for(concurrency, processes_setting)) as lent:
                    engine = await _engine(lent, url, clock)
                    load = _load(count, concurrency)
                    runs.append(([record async for record in engine.run(load)], engine.disturbance.document()))
                    if engine.failure is not None:
                        raise CannotCalibrate(engine.failure)
        truths = {line["number"]: line for line in map(orjson.loads, log.read_bytes().splitlines())}
    pairs = [[(record, _truth(record, truths)) for record in records] for records, _ in runs]
    errors = [[_error_ms(*pair) for pair in run] for run in pairs]
    return Level(
        concurrency=concurrency,
        requests=sum(map(len, errors)),
        event_throughput=float(np.median([_event_throughput([truth for _, truth in run]) for run in pairs])),
        error_p50_ms=float(np.median([np.percentile(values, 50) for values in errors])),
        error_p99_ms=float(np.median([np.percentile(values, 99) for values in errors])),
        doubtful=sum(document["doubtful_requests"] for _, document in runs),
        grade=sorted(document["grade"] for _, document in runs)[len(runs) // 2],
    )


def _truth(record: ResultRecord, truths: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The simulator's log entry of this request. Raises CannotCalibrate if the request failed."""
    if record.outcome != "succeeded" or record.provider_request_id is None:
        reason = record.error.message if record.error else record.outcome
        raise CannotCalibrate(f"a request to the simulator failed: {reason}")
    return truths[int(record.provider_request_id.removeprefix("req_"))]


def _error_ms(record: ResultRecord, truth: dict[str, Any]) -> float:
    """The difference between the measured time to first token and the simulator's own, in ms."""
    ttft_ms: float = (truth["first_content_ns"] - truth["received_ns"]) / 1e6
    return abs((record.ttft_ms or 0) - ttft_ms)


def _event_throughput(truths: Sequence[dict[str, Any]]) -> float:
    """Content events per second, from the first to the last."""
    begin_ns, end_ns = min(one["first_content_ns"] for one in truths), max(one["last_content_ns"] for one in truths)
    return float(sum(one["content_events"] for one in truths) / max(1, end_ns - begin_ns) * 1e9)


async def _engine(lent: Sequence[Child], url: str, clock: Clock) -> Engine:
    endpoint = _endpoint(url)
    context = MeasureContext(adapter_for(endpoint), _TIMEOUTS, RunClock.start(clock), Scrubber([]), keep_timeline=False)
    target = await make_target(endpoint, None, proxy=None, connect_s=_TIMEOUTS.connect_s)
    return Engine(lent, target, context, clock)


def _endpoint(url: str) -> Endpoint:
    return Endpoint(name="calibration", protocol="openai", base_url=f"{url}/v1")


def _load(count: int, concurrency: int) -> Load:
    return load_of(
        BenchmarkSpec(
            name="calibration",
            model=MODEL,
            prompts=(Prompt(messages=(Message(role="user", content="How late is it?"),)),),
            parameters=Parameters(max_tokens=1_000),
            repetitions=count,
            concurrency=concurrency,
        )
    ).at_once()


@contextlib.asynccontextmanager
async def _simulator(log: Path) -> AsyncIterator[str]:
    """Runs a simulator in a process of its own and yields its URL. Its log is complete after the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "simulator", "--port", "0", "--request-log", str(log)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise CannotCalibrate("the simulator has no output")
        try:
            async with asyncio.timeout(_START_S):
                line = await process.stdout.readline()
        except TimeoutError:
            raise CannotCalibrate(f"the simulator did not start within {_START_S} s") from None
        if not line:
            _, errors = await process.communicate()
            raise CannotCalibrate(f"the simulator did not start: {errors.decode(errors='replace').strip()}")
        yield line.decode().split()[-1]
        process.terminate()
        await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
