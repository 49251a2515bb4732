"""Turns cases into benchmarks, submits all of them at once, and collects what the API says of each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import httpx2

from shared.protocols.registry import protocol_named
from shared.providers.endpoints import Endpoint
from tests.e2e.field.case import Attempt, Case, Misses, Protocol, Transport, misses
from tests.e2e.field.server import FieldServer
from tests.support.service import WAIT, running_service
from worker.engine.children import Children

# Long enough for a case that thinks for 9 s.
PATIENT = {"connect_s": 60, "ttft_s": 12, "idle_s": 12, "total_s": 60}
# For cases that say nothing for ever. Their events are at most half a second apart.
IMPATIENT = {"connect_s": 60, "ttft_s": 2, "idle_s": 2, "total_s": 30}
# Requests of a run at the same time. The SDK's client is late from a few dozen on.
MOST_IN_FLIGHT = {"auto": 64, "sdk": 8}
# Benchmarks at the same time. Each needs a measuring process, which takes a moment to start; most are used again.
AT_ONCE = 6
# How often a run is measured at most.
MOST_MEASUREMENTS = 5


@dataclass(frozen=True)
class Run:
    """A benchmark with a prompt for each case. Its name is that of its endpoint too, unless `endpoint` is another's."""

    name: str
    cases: Sequence[Case]
    protocol: Protocol
    model: str
    transport: Transport
    price: str | None = None
    endpoint: str | None = None
    after: str | None = None
    spec: dict[str, Any] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        return self.endpoint or self.name

    @property
    def again(self) -> "Run":
        """The same run once more, at an endpoint of its own."""
        return replace(self, name=f"{self.name}.again")

    @property
    def alone(self) -> bool:
        """Whether no other run has its endpoint."""
        return self.endpoint is None

    @property
    def last_ms(self) -> float:
        """When the server writes the last read, if every case is sent at the start."""
        return max(map(_length_ms, self.cases))

    def endpoint_at(self, url: str) -> Endpoint:
        return Endpoint(
            name=self.provider,
            protocol=self.protocol,
            base_url=f"{url}/{self.provider}{protocol_named(self.protocol).base_path}",
            price_provider=self.price,
            transport=self.transport,
        )

    def document(self) -> dict[str, Any]:
        """The body of `POST /benchmarks`."""
        prompts = [
            {
                "messages": [{"role": "user", "content": f"case:{case.name}"}],
                "parameters": {"max_tokens": case.max_tokens},
            }
            for case in self.cases
        ]
        fixed = {"name": self.name, "model": self.model, "provider": self.provider, "prompts": prompts}
        return {
            **fixed,
            "concurrency": min(len(prompts), MOST_IN_FLIGHT[self.transport]),
            "timeouts": PATIENT,
            **self.spec,
        }


@dataclass
class Seen:
    """What the API says of each run, and what the server saw of each case."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[tuple[str, str], list[Attempt]] = field(default_factory=dict)

    def measurements(self, run: Run) -> list[Run]:
        """The run as often as it was measured."""
        measurements = [run]
        while measurements[-1].again.name in self.documents:
            measurements.append(measurements[-1].again)
        return measurements

    def best(self, run: Run) -> Run:
        """The run as it was measured when the fewest cases were not as they must be."""
        return min(self.measurements(run), key=lambda one: sum(bool(self.misses(one, case)) for case in run.cases))

    def result(self, run: Run, case: Case) -> dict[str, Any]:
        """The result of a case that its run sends once."""
        (result,) = self.results(run, case)
        return result

    def results(self, run: Run, case: Case) -> list[dict[str, Any]]:
        """The measured results of a case, without warm-up."""
        index = [item.name for item in run.cases].index(case.name)
        document = self.documents[run.name]
        assert document["status"] in ("completed", "failed"), document
        return [item for item in document["results"] if item["prompt_index"] == index]

    def misses(self, run: Run, case: Case) -> list[Misses]:
        """What is not as it must be in each result of a case that is not as it must be."""
        results = self.results(run, case)
        found = [misses(case, result, self.attempts_at(run, case)) for result in results]
        return [missed for missed in found if missed] if results else [{"result": ("one", None)}]

    def attempts_at(self, run: Run, case: Case) -> list[Attempt]:
        return self.attempts[run.provider, case.name]


def runs_of(cases: Sequence[Case]) -> list[Run]:
    """One run for all cases of a kind, by each transport."""
    by_transport: list[tuple[Transport, list[Case]]] = [
        ("auto", [case for case in cases if "auto" in case.transports]),
        ("sdk", [_unpriced(case) for case in cases if "sdk" in case.transports]),
    ]
    return [
        Run(
            name=f"{'.'.join(part.replace('/', '-') for part in (word, protocol, model, price) if part)}.{transport}",
            # The longest begins first, so that it ends with the others.
            cases=sorted(alike, key=_length_ms, reverse=True) if word == "main" else list(alike),
            protocol=protocol,
            model=model,
            transport=transport,
            price=price or None,
            spec={"timeouts": IMPATIENT} if word == "impatient" else {},
        )
        for transport, of_transport in by_transport
        for (word, protocol, model, price), alike in groupby(sorted(of_transport, key=_kind), key=_kind)
    ]


def _kind(case: Case) -> tuple[str, Protocol, str, str]:
    return (case.run, case.protocol, case.model, case.price or "")


def _length_ms(case: Case) -> float:
    return max((at for at, _ in case.answer(0).reads), default=0)


def _unpriced(case: Case) -> Case:
    """The case among those without a price. No transport has a part in a price, and each run needs time."""
    if case.price is None:
        return case
    must = {name: value for name, value in case.must.items() if name not in ("cost", "flags", "no_flags")}
    return replace(case, must=must, model="m", price=None)


async def measure_until_right(runs: Sequence[Run], database_url: str, redis_url: str, children: Children) -> Seen:
    """Measures all runs, and those again of which a case was not as it must be.

    A busy machine makes a read late now and then; a product that is wrong is wrong each time.
    """
    seen = await measure_all(runs, database_url, redis_url, children)
    doubtful = _doubtful(seen, [run for run in runs if run.alone])
    for _ in range(MOST_MEASUREMENTS - 1):
        if not doubtful:
            break
        again = [run.again for run in doubtful]
        # One after the other: so they do not make each other late.
        more = await measure_all(again, database_url, redis_url, children, at_once=1)
        seen.documents |= more.documents
        seen.attempts |= more.attempts
        doubtful = _doubtful(seen, again)
    return seen


def _doubtful(seen: Seen, runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if any(seen.misses(run, case) for case in run.cases)]


async def measure_all(
    runs: Sequence[Run], database_url: str, redis_url: str, children: Children, *, at_once: int = AT_ONCE
) -> Seen:
    """Runs all benchmarks and returns when the last has ended. The longest run begins first."""
    cases = {case.name: case for run in runs for case in run.cases}
    seen = Seen()
    ended = {run.name: asyncio.Event() for run in runs}

    # API and worker share this process: a hundred clients at once would only wait for each other.
    clients = asyncio.Semaphore(2 * at_once)

    async def submit(client: httpx2.AsyncClient, run: Run) -> None:
        if run.after is not None:
            await ended[run.after].wait()
        async with clients:
            response = await client.post("/benchmarks", json=run.document(), headers=WAIT)
            assert response.status_code == 200, response.text
            seen.documents[run.name] = (await client.get(f"/benchmarks/{response.json()['id']}")).json()
        ended[run.name].set()

    with FieldServer(cases.values()).running() as server:
        endpoints = {run.provider: run.endpoint_at(server.url) for run in runs}
        async with running_service(
            database_url,
            redis_url,
            None,
            children=children,
            providers=tuple(endpoints.values()),
            worker_max_benchmarks=at_once,
            # No run is taken over because the machine is busy: then it would have more possible duplicates.
            lease_s=60,
        ) as service:
            ordered = sorted(runs, key=lambda run: run.last_ms, reverse=True)
            await asyncio.gather(*(submit(service.client, run) for run in ordered))
        seen.attempts = dict(server.attempts)
    return seen
