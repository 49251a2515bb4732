"""Observes the server under test during a run: a sample each second, stored in blocks, beside the engine."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from shared.benchmark.results.aggregate import RunAggregate
from shared.clock import Clock
from shared.db.runs.lease import Lease
from shared.db.runs.observations import RunObservations
from shared.errors import LeaseLost, Unavailable
from shared.network.tls import client_context
from shared.observing.probe import Probe, Probes
from shared.observing.sample import Sample, Sampler
from shared.observing.statistics import Observed
from shared.providers.endpoints import Endpoint
from shared.providers.key_ring import KeyRing
from worker.patience import until_available
from worker.run.probing import Prober
from worker.run.scraping import Scraper

EVERY_S = 1.0
# How often samples are stored. A worker that dies loses those since the last time.
STORED_EVERY_S = 20.0
# The most samples that wait for a database that is away. The oldest are dropped.
MAX_WAITING = 1_800

# How long after the end of the last request a probe may be stored that was sent before it.
_LONGEST_PROBE_US = 60_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Observer:
    """What is observed beside one run on one worker: the server's metrics, and probes. It may be nothing."""

    def __init__(
        self,
        repository: RunObservations,
        lease: Lease,
        clock: Clock,
        scrapers: Sequence[Scraper],
        prober: Prober | None = None,
        *,
        every_s: float = EVERY_S,
        stored_every_s: float = STORED_EVERY_S,
    ) -> None:
        self._repository = repository
        self._lease = lease
        self._clock = clock
        self._scrapers = scrapers
        self._prober = prober
        self._probes: list[Probe] = []
        self._probed = asyncio.Event()
        self._every_s = every_s
        self._stored_every_s = stored_every_s
        self._sampler = Sampler()
        self._waiting: deque[Sample] = deque(maxlen=MAX_WAITING)
        self._storing = asyncio.Lock()

    async def run(self) -> None:
        """Observes until it is cancelled. Raises LeaseLost, Unavailable."""
        if not self._is_active:
            return
        try:
            async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
                for scraper in self._scrapers:
                    await stack.enter_async_context(scraper)
                group.create_task(self._store_now_and_then())
                group.create_task(self._probe())
                async for _ in _ticks(self._clock, self._every_s):
                    await self._observe()
        except* (LeaseLost, Unavailable) as lost:
            raise lost.exceptions[0] from None

    async def settle(self) -> None:
        """Stores every sample that there is. Raises LeaseLost."""
        async with self._storing:
            if self._probes:
                self._waiting.append(Sample(self._now_us(), {}, probes=self._taken()))
            if not self._waiting:
                return
            samples = list(self._waiting)
            self._waiting.clear()
            add = partial(self._repository.add, self._lease, samples)
            if self._prober is None:
                await until_available(add, "observations_wait")
                return
            await self._prober.money.settle(lambda bill: until_available(lambda: add(bill=bill), "observations_wait"))

    def begin(self) -> None:
        """The run has begun to send: so may probes."""
        if self._prober is not None:
            self._prober.begin()

    def halt(self) -> None:
        """Sends no more probes."""
        if self._prober is not None:
            self._prober.halt()

    async def close(self) -> None:
        """The run has ended: stores all that was observed. Cancel `run` then. Raises LeaseLost."""
        if self._prober is not None:
            self._prober.halt()
            await self._probed.wait()
        await self.settle()

    async def of(self, results: RunAggregate) -> dict[str, Any]:
        """What was observed from the first request sent to the end of the last of these, as `observed_of` has it."""
        if not self._is_active:
            return {}
        await self.settle()
        return await observed_of(self._repository, self._lease.benchmark_id, results)

    @property
    def _is_active(self) -> bool:
        return bool(self._scrapers) or self._prober is not None

    async def _observe(self) -> None:
        at_us = self._now_us()
        answers = await asyncio.gather(*(scraper.scrape() for scraper in self._scrapers))
        sample = replace(self._sampler.sample(at_us, answers), probes=self._taken())
        if self._scrapers or sample.probes:
            self._waiting.append(sample)

    async def _probe(self) -> None:
        try:
            if self._prober is not None:
                await self._prober.run(self._probes.append)
        finally:
            self._probed.set()

    def _taken(self) -> tuple[Probe, ...]:
        taken = tuple(self._probes)
        self._probes.clear()
        return taken

    def _now_us(self) -> int:
        return (self._clock.wall_now() - _EPOCH) // timedelta(microseconds=1)

    async def _store_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._stored_every_s)
            await self.settle()


def scrapers_of(endpoint: Endpoint, keys: KeyRing, clock: Clock) -> list[Scraper]:
    """One for each of the endpoint's `metrics_urls`. The endpoint's TLS settings count for them too."""
    if not endpoint.metrics_urls:
        return []
    tls = client_context(endpoint.tls.options) if endpoint.tls is not None else client_context()
    variables = keys.variables(endpoint)
    return [Scraper(url.request(variables), tls, clock) for url in endpoint.metrics_urls]


async def observed_of(repository: RunObservations, benchmark_id: int, results: RunAggregate) -> dict[str, Any]:
    """What all workers have observed while these results came to be: `observed` and `probes` of a summary, if any."""
    begin_us, end_us = results.activity.first_sent_us, results.activity.last_end_us
    if begin_us is None or end_us is None:
        return {}

    async def read() -> dict[str, Any]:
        observed, probes = Observed(begin_us, end_us), Probes(begin_us, end_us)
        # A probe is in the sample after its end.
        async for samples in repository.samples(benchmark_id, begin_us, end_us + _LONGEST_PROBE_US):
            for sample in samples:
                observed.add(sample)
                for probe in sample.probes:
                    probes.add(probe)
        return {"observed": observed.document(), "probes": probes.document()}

    found = await until_available(read, "observations_wait")
    return {name: document for name, document in found.items() if document is not None}


async def _ticks(clock: Clock, every_s: float) -> AsyncIterator[None]:
    """At once, and then every so many seconds. A tick may be late; one that is a whole step late is left out."""
    begin_ns, number = clock.monotonic_ns(), 0
    while True:
        yield
        gone_s = (clock.monotonic_ns() - begin_ns) / 1e9
        number = max(number + 1, int(gone_s / every_s))
        await asyncio.sleep(max(0.0, number * every_s - gone_s))
