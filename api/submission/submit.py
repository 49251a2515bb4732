"""Submits a benchmark: finds its endpoint, checks its parameters against the protocol, stores it, and rings."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from opentelemetry.trace import SpanKind

from api.present.money import cap_out
from api.submission import fingerprint
from api.submission.as_submitted import check_again
from api.submission.ceilings import check_streams
from api.submission.dataset_choice import with_dataset
from api.submission.estimates import Estimated, Estimator
from api.submission.money_checks import Budgets, budget_notes, check_money
from api.submission.webhook_setup import WebhookSetup
from shared.benchmark.request import BenchmarkRequest
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository, Once
from shared.db.datasets.repository import DatasetRepository
from shared.db.money.caps import CapState
from shared.db.tables.benchmarks import Benchmark
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.workers.repository import WorkerRepository
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.program.tracing import Tracing, traceparent
from shared.protocols.parameters import check_parameters
from shared.protocols.registry import protocol_named
from shared.providers.endpoints import Endpoint, EndpointRegistry
from shared.providers.identity import EndpointIdentity, Identities
from shared.providers.key_ring import KeyRing
from shared.queue.doorbell import Doorbell
from shared.webhooks.message import NewEndpoint


@dataclass(frozen=True, slots=True)
class Submitted:
    """A stored benchmark. `created` is False if an earlier POST with the same key stored it.

    `secret` is the webhook's signing secret in clear text, for answers that show it.
    """

    benchmark: Benchmark
    created: bool
    secret: str | None = None
    # What it will send, take and cost. None if it was not created now.
    estimate: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A valid benchmark that is not stored."""

    endpoint: Endpoint
    notices: list[str]
    estimate: dict[str, Any]


class _Context(TypedDict):
    """What is stored with a spec, whether or not the POST has a key."""

    endpoint: EndpointIdentity
    rerun_of: int | None
    webhook: NewEndpoint | None
    traceparent: str | None
    capped: bool


class Submitter:
    """Stores new benchmarks and reruns, for the routes of `/benchmarks`."""

    def __init__(
        self,
        endpoints: EndpointRegistry,
        keys: KeyRing,
        benchmarks: BenchmarkRepository,
        workers: WorkerRepository,
        doorbell: Doorbell,
        webhooks: WebhookRepository,
        webhook_setup: WebhookSetup,
        tracing: Tracing,
        identities: Identities,
        estimator: Estimator,
        datasets: DatasetRepository,
        budgets: Budgets,
    ) -> None:
        self._budgets = budgets
        self._datasets = datasets
        self._estimator = estimator
        self._identities = identities
        self._tracing = tracing
        self._webhooks = webhooks
        self._webhook_setup = webhook_setup
        self._endpoints = endpoints
        self._keys = keys
        self._benchmarks = benchmarks
        self._workers = workers
        self._doorbell = doorbell

    async def submit(self, request: BenchmarkRequest, key: str | None = None) -> Submitted:
        """Stores a pending benchmark. It works without Redis too: a worker's sweep finds the row.

        Raises InvalidRequest, Conflict, BudgetExhausted, and Unavailable if a webhook needs ENCRYPTION_KEY.
        """
        once = None
        if key is not None:
            # In a thread: fingerprints of thousands of prompts take a while.
            once = await asyncio.to_thread(_once, key, request)
            before = await self._benchmarks.replayed(once)
            if before is not None:
                return await self._again(before, request.spec)
        prepared = None
        spec, webhook = request.spec, request.webhook
        if webhook is not None:
            prepared = await self._webhook_setup.prepare(
                webhook.url, webhook.events, webhook.secret, field="webhook_url"
            )
        stored = await self._store(spec, spec.provider, once, webhook=None if prepared is None else prepared.endpoint)
        if not stored.created:
            return await self._again(stored.benchmark, request.spec)
        return stored if prepared is None else replace(stored, secret=prepared.secret)

    async def check(self, spec: BenchmarkSpec) -> Checked:
        """All checks of `submit` but those of webhooks, and the estimate. Raises InvalidRequest and BudgetExhausted."""
        endpoint = await self._resolve(spec.model, spec.provider)
        spec = (await with_dataset(spec, self._datasets)).with_defaults()
        check_parameters(spec, protocol_named(endpoint.protocol))
        check_streams(spec, endpoint)
        caps = await self._budgets.of(spec)
        estimated = await self._estimator.of(spec, endpoint, with_tokenizer=True)
        told = [*notices(spec, endpoint), *check_money(spec, caps, estimated)]
        return Checked(endpoint, told, _document(estimated, caps))

    async def _again(self, benchmark: Benchmark, asked: BenchmarkSpec | None) -> Submitted:
        """The first answer once more, because it may have been lost: with what only answers to a POST show.

        `asked`: the spec of the request, which is that of the benchmark. None: it is read.
        """
        told = await self._webhooks.of_benchmark(benchmark.id)
        secret = None if told is None else self._webhook_setup.open(told.secrets[0]["sealed"])
        endpoint, estimated = self._endpoints.get(benchmark.provider), None
        if endpoint is not None:
            # Its texts or its dataset may have been deleted since.
            with contextlib.suppress(NotFound, Conflict, InvalidRequest):
                if asked is None:
                    asked, _ = await self._benchmarks.spec(benchmark.id)
                spec = (await with_dataset(asked, self._datasets)).with_defaults()
                estimated = _document(await self._estimate(spec, endpoint), await self._budgets.of(spec))
        return Submitted(benchmark, created=False, secret=secret, estimate=estimated)

    async def rerun(self, benchmark_id: int, key: str | None = None) -> Submitted:
        """Stores a new benchmark with the same spec, endpoint and webhook.

        Raises NotFound, InvalidRequest, Conflict, BudgetExhausted.
        """
        once = None
        if key is not None:
            once = Once(key, fingerprint.of_rerun(benchmark_id), rerun_of=benchmark_id)
            # A repetition is answered even if the benchmark to repeat was deleted meanwhile.
            replayed = await self._benchmarks.replayed(once)
            if replayed is not None:
                return await self._again(replayed, None)
        spec, before = await self._benchmarks.spec(benchmark_id)
        check_again(before.spec_document)
        told = await self._webhooks.of_benchmark(benchmark_id)
        webhook = None
        if told is not None:
            webhook = NewEndpoint(told.url, told.chosen, [item["sealed"] for item in told.secrets])
        return await self._store(spec, before.provider, once, rerun_of=before, webhook=webhook)

    async def _store(
        self,
        spec: BenchmarkSpec,
        provider: str | None,
        once: Once | None,
        *,
        rerun_of: Benchmark | None = None,
        webhook: NewEndpoint | None = None,
    ) -> Submitted:
        endpoint = await self._resolve(spec.model, provider)
        spec = (await with_dataset(spec, self._datasets)).with_defaults()
        check_parameters(spec, protocol_named(endpoint.protocol))
        check_streams(spec, endpoint)
        identity, created = self._identities.of(endpoint), True
        caps = await self._budgets.of(spec)
        # Without budgets, the estimate can wait until the benchmark is stored.
        estimated = await self._estimate(spec, endpoint) if caps else None
        money = [] if estimated is None else check_money(spec, caps, estimated)
        told = [*notices(spec, endpoint), *changed_endpoint(rerun_of, identity), *money]
        with self._tracing.span("enqueue benchmark", SpanKind.PRODUCER, {"llmbench.model": spec.model}) as span:
            context: _Context = {
                "endpoint": identity,
                "rerun_of": None if rerun_of is None else rerun_of.id,
                "webhook": webhook,
                "traceparent": traceparent(),
                "capped": bool(caps),
            }
            if once is None:
                benchmark = await self._benchmarks.create(spec, endpoint.name, told, **context)
            else:
                benchmark, created = await self._benchmarks.create_once(once, spec, endpoint.name, told, **context)
            span.set_attributes({"llmbench.benchmark.id": benchmark.id, "llmbench.created": created})
            if created:
                await self._doorbell.ring(benchmark.id)
        if not created:
            return Submitted(benchmark, created)
        return Submitted(
            benchmark, created, estimate=_document(estimated or await self._estimate(spec, endpoint), caps)
        )

    async def _estimate(self, spec: BenchmarkSpec, endpoint: Endpoint) -> Estimated:
        """For the answer to a submit, which must not wait for a tokenizer."""
        return await self._estimator.of(spec, endpoint, with_tokenizer=False)

    async def _resolve(self, model: str, provider: str | None) -> Endpoint:
        """The endpoint of a benchmark. Reads which keys workers hold only if a key that is not here could matter."""
        await self._endpoints.loaded()
        missing: list[Endpoint] = []

        def is_here(endpoint: Endpoint) -> bool:
            here = self._keys.can_use(endpoint)
            if not here:
                missing.append(endpoint)
            return here

        try:
            found = self._endpoints.resolve(model, provider, is_here)
        except InvalidRequest:
            if not missing:
                raise
        else:
            if not missing:
                return found
        return self._endpoints.resolve(model, provider, await self.key_holders())

    async def key_holders(self) -> Callable[[Endpoint], bool]:
        """A function that says whether this process or a worker can use an endpoint. The API itself needs no key."""
        reported = await self._workers.providers()
        return lambda endpoint: self._keys.can_use(endpoint) or endpoint.name in reported


def _document(estimated: Estimated, caps: Sequence[CapState]) -> dict[str, Any]:
    """The estimate as the API returns it."""
    notes = [*estimated.document["notes"], *budget_notes(caps, estimated)]
    return {**estimated.document, "budgets": [cap_out(cap).model_dump() for cap in caps], "notes": notes}


def _once(key: str, request: BenchmarkRequest) -> Once:
    return Once(key, fingerprint.of_request(request), fingerprint.old_of_request(request))


def changed_endpoint(before: Benchmark | None, identity: EndpointIdentity) -> list[str]:
    """A warning if the endpoint of this name is not the one that the repeated benchmark was submitted for."""
    if before is None or before.endpoint is None or before.endpoint["fingerprint"] == identity.fingerprint:
        return []
    was, now = (f"{item['protocol']} at {item['base_url']}" for item in (before.endpoint, identity.document()))
    words = f"It was {was}, and is {now}." if was != now else "It has another configuration."
    return [f"Endpoint {identity.name!r} has changed since benchmark {before.id}. {words}"]


def notices(spec: BenchmarkSpec, endpoint: Endpoint) -> list[str]:
    """Warnings to show with the numbers."""
    if endpoint.stand_in and not spec.model.startswith("sim"):
        return [
            (
                f"The simulator answered for {spec.model}: these are not its real latencies, answers or costs. "
                "Set the provider's key to measure it."
            )
        ]
    return []
