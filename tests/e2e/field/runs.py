"""Turns cases into benchmarks, submits all of them at once, and collects what the API says of each."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import httpx2

from shared.protocols.registry import protocol_named
from shared.providers.endpoints import Endpoint
from tests.e2e.field.case import Attempt, Case, Protocol, Transport
from tests.e2e.field.server import FieldServer
from tests.support.service import WAIT, running_service
from worker.engine.children import Children

# Long enough for a case that thinks for 9 s.
PATIENT = {"connect_s": 60, "ttft_s": 60, "idle_s": 60, "total_s": 90}
# For cases that say nothing for ever. Their events are at most half a second apart.
IMPATIENT = {"connect_s": 60, "ttft_s": 2, "idle_s": 2, "total_s": 30}
# Benchmarks at the same time. Each needs a measuring process, which takes a moment to start; most are used again.
AT_ONCE = 8


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
        return {**fixed, "concurrency": len(prompts), "timeouts": PATIENT, **self.spec}


@dataclass
class Seen:
    """What the API says of each run, and what the server saw of each case."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: dict[tuple[str, str], list[Attempt]] = field(default_factory=dict)

    def result(self, run: Run, case: Case) -> dict[str, Any]:
        """The result of a case that its run measured once."""
        (result,) = (item for item in self.results(run, case) if not item["warmup"])
        return result

    def results(self, run: Run, case: Case) -> list[dict[str, Any]]:
        index = [item.name for item in run.cases].index(case.name)
        document = self.documents[run.name]
        assert document["status"] in ("completed", "failed"), document
        return [item for item in document["results"] if item["prompt_index"] == index]

    def attempts_at(self, run: Run, case: Case) -> list[Attempt]:
        return self.attempts[run.provider, case.name]


def runs_of(cases: Iterable[Case]) -> list[Run]:
    """One run for all cases of a kind, by each transport."""

    def kind(case: Case) -> tuple[str, str, str, str]:
        return (case.run, case.protocol, case.model, case.price or "")

    return [
        Run(
            name=f"{'.'.join(part.replace('/', '-') for part in (word, protocol, model, price) if part)}.{transport}",
            cases=[case for case in alike if transport in case.transports],
            protocol=alike[0].protocol,
            model=model,
            transport=transport,
            price=price or None,
            spec={"timeouts": IMPATIENT} if word == "impatient" else {},
        )
        for (word, protocol, model, price), group in groupby(sorted(cases, key=kind), key=kind)
        for alike in [list(group)]
        for transport in alike[0].transports
    ]


async def measure_all(runs: Sequence[Run], database_url: str, redis_url: str, children: Children) -> Seen:
    """Runs all benchmarks and returns when the last has ended. The longest run, `main`, begins first."""
    cases = {case.name: case for run in runs for case in run.cases}
    seen = Seen()
    ended = {run.name: asyncio.Event() for run in runs}

    async def submit(client: httpx2.AsyncClient, run: Run) -> None:
        if run.after is not None:
            await ended[run.after].wait()
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
            worker_max_benchmarks=AT_ONCE,
        ) as service:
            ordered = sorted(runs, key=lambda run: not run.name.startswith("main"))
            await asyncio.gather(*(submit(service.client, run) for run in ordered))
        seen.attempts = dict(server.attempts)
    return seen
