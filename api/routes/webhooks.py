"""`/webhooks`: endpoints that receive the events of all benchmarks, their deliveries, tests and secrets."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response, status

from api.access.needs import needs
from api.http.body import JsonRoute
from api.http.proxy import link
from api.lists.cursor import decode_cursor, encode_cursor
from api.present.webhooks import delivery_out, webhook_out
from api.schemas.ids import RowId
from api.schemas.problem import Problem
from api.schemas.webhooks import (
    DeliveryOut,
    DeliveryPage,
    PageQuery,
    WebhookChange,
    WebhookCreated,
    WebhookIn,
    WebhookOut,
    WebhookPage,
    WebhookRotated,
)
from api.state import Parts, State
from shared.webhooks.message import new_secret

router = APIRouter(tags=["webhooks"], route_class=JsonRoute, dependencies=[needs("read")])

WebhookId = Annotated[RowId, Path(description="Id of the endpoint.", examples=[1])]
DeliveryId = Annotated[RowId, Path(description="Id of the delivery.", examples=[1])]
BenchmarkId = Annotated[RowId, Path(description="Id of the benchmark.", examples=[1])]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such id."}}
INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."}
}
NO_KEY: dict[int | str, dict[str, Any]] = {
    503: {"model": Problem, "description": "`ENCRYPTION_KEY` is not set, so secrets cannot be stored."}
}


@router.post(
    "/webhooks",
    dependencies=[needs("run")],
    operation_id="registerWebhook",
    status_code=status.HTTP_201_CREATED,
    summary="Register an endpoint for the events of all benchmarks",
    responses={**INVALID, **NO_KEY},
)
async def register(body: WebhookIn, parts: Parts, response: Response) -> WebhookCreated:
    """Only this answer contains the secret."""
    prepared = await parts.webhook_setup.prepare(
        body.url, body.events, body.secret, field="url", description=body.description
    )
    endpoint = await parts.webhooks.add(prepared.endpoint)
    response.headers["Location"] = link(f"/webhooks/{endpoint.id}")
    response.headers["Cache-Control"] = "no-store"
    return WebhookCreated(**webhook_out(endpoint).model_dump(), secret=prepared.secret)


@router.get(
    "/webhooks", operation_id="listWebhooks", summary="List registered endpoints, newest first", responses=INVALID
)
async def list_webhooks(query: Annotated[PageQuery, Query()], parts: Parts) -> WebhookPage:
    """The list leaves out the `webhook_url` of single benchmarks."""
    rows = await parts.webhooks.page(before_id=_before(query), limit=query.limit + 1)
    items = rows[: query.limit]
    return WebhookPage(
        items=[webhook_out(row) for row in items],
        next_cursor=encode_cursor(items[-1].id) if len(rows) > query.limit else None,
    )


@router.get(
    "/webhooks/{webhook_id}", operation_id="getWebhook", summary="Read an endpoint", responses={**NOT_FOUND, **INVALID}
)
async def read(webhook_id: WebhookId, parts: Parts) -> WebhookOut:
    """The answer does not contain the secret."""
    return webhook_out(await parts.webhooks.get(webhook_id))


@router.patch(
    "/webhooks/{webhook_id}",
    dependencies=[needs("run")],
    operation_id="changeWebhook",
    summary="Change an endpoint",
    responses={**NOT_FOUND, **INVALID},
)
async def change(webhook_id: WebhookId, body: WebhookChange, parts: Parts) -> WebhookOut:
    """`enabled: true` enables a disabled endpoint again. Deliveries that are due are then sent at once."""
    values = {name: getattr(body, name) for name in body.model_fields_set}
    # Null means "all" for `events`. For other fields it means no change.
    values = {name: value for name, value in values.items() if name == "events" or value is not None}
    if "url" in values:
        await parts.webhook_setup.check(values["url"], "url")
    if values.get("events") is not None:
        values["events"] = list(values["events"])
    endpoint = await parts.webhooks.change(webhook_id, values)
    await parts.doorbell.announce_webhooks()
    return webhook_out(endpoint)


@router.delete(
    "/webhooks/{webhook_id}",
    dependencies=[needs("run")],
    operation_id="deleteWebhook",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete an endpoint and its deliveries",
    responses={**NOT_FOUND, **INVALID},
)
async def delete(webhook_id: WebhookId, parts: Parts) -> None:
    """Deliveries that are due are no longer sent."""
    await parts.webhooks.delete(webhook_id)


@router.post(
    "/webhooks/{webhook_id}/rotate-secret",
    dependencies=[needs("run")],
    operation_id="rotateWebhookSecret",
    summary="Sign with a new secret",
    responses={**NOT_FOUND, **INVALID, **NO_KEY},
)
async def rotate(webhook_id: WebhookId, parts: Parts, response: Response) -> WebhookRotated:
    """For 24 hours every attempt carries the signatures of both secrets."""
    secret = new_secret()
    expires_at = await parts.webhooks.rotate(webhook_id, parts.webhook_setup.seal(secret))
    response.headers["Cache-Control"] = "no-store"
    return WebhookRotated(secret=secret, previous_expires_at=expires_at)


@router.post(
    "/webhooks/{webhook_id}/test",
    dependencies=[needs("run")],
    operation_id="testWebhook",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send a test event",
    responses={**NOT_FOUND, **INVALID},
)
async def test(webhook_id: WebhookId, parts: Parts) -> DeliveryOut:
    """A worker sends it at once. `GET /webhooks/{id}/deliveries` shows the outcome."""
    delivery_id = await parts.webhooks.test(webhook_id)
    await parts.doorbell.announce_webhooks()
    page = await _page(parts, PageQuery(limit=1), endpoint_id=webhook_id, before_id=delivery_id + 1)
    return page.items[0]


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="List the deliveries of an endpoint, newest first",
    responses={**NOT_FOUND, **INVALID},
)
async def deliveries(webhook_id: WebhookId, query: Annotated[PageQuery, Query()], parts: Parts) -> DeliveryPage:
    """Each delivery has all its attempts."""
    await parts.webhooks.get(webhook_id)
    return await _page(parts, query, endpoint_id=webhook_id, before_id=_before(query))


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    dependencies=[needs("run")],
    operation_id="redeliverToWebhook",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send an event to an endpoint again",
    responses={**NOT_FOUND, **INVALID},
)
async def redeliver(webhook_id: WebhookId, delivery_id: DeliveryId, parts: Parts) -> DeliveryOut:
    """A worker sends it at once, with the same `webhook-id` and a new timestamp. A failure starts the schedule anew."""
    await parts.webhooks.get(webhook_id)
    return await _again(parts, delivery_id, endpoint_id=webhook_id)


@router.get(
    "/benchmarks/{benchmark_id}/webhook-deliveries",
    operation_id="listBenchmarkDeliveries",
    summary="List the deliveries of a benchmark's events, newest first",
    responses={**NOT_FOUND, **INVALID},
)
async def benchmark_deliveries(
    benchmark_id: BenchmarkId, query: Annotated[PageQuery, Query()], parts: Parts
) -> DeliveryPage:
    """Deliveries to its own `webhook_url` and to registered endpoints, with all attempts."""
    await parts.benchmarks.status(benchmark_id)
    return await _page(parts, query, benchmark_id=benchmark_id, before_id=_before(query))


@router.post(
    "/benchmarks/{benchmark_id}/webhook-deliveries/{delivery_id}/redeliver",
    dependencies=[needs("run")],
    operation_id="redeliverOfBenchmark",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send an event of a benchmark again",
    responses={**NOT_FOUND, **INVALID},
)
async def redeliver_of_benchmark(benchmark_id: BenchmarkId, delivery_id: DeliveryId, parts: Parts) -> DeliveryOut:
    """A worker sends it at once, with the same `webhook-id` and a new timestamp. A failure starts the schedule anew."""
    await parts.benchmarks.status(benchmark_id)
    return await _again(parts, delivery_id, benchmark_id=benchmark_id)


def _before(query: PageQuery) -> int | None:
    return decode_cursor(query.cursor, int)[0] if query.cursor else None


async def _page(
    parts: State,
    query: PageQuery,
    *,
    before_id: int | None,
    endpoint_id: int | None = None,
    benchmark_id: int | None = None,
) -> DeliveryPage:
    rows = await parts.deliveries.page(
        endpoint_id=endpoint_id, benchmark_id=benchmark_id, before_id=before_id, limit=query.limit + 1
    )
    shown = rows[: query.limit]
    return DeliveryPage(
        items=[delivery_out(row) for row in shown],
        next_cursor=encode_cursor(shown[-1].delivery.id) if len(rows) > query.limit else None,
    )


async def _again(
    parts: State, delivery_id: int, *, endpoint_id: int | None = None, benchmark_id: int | None = None
) -> DeliveryOut:
    row = await parts.deliveries.redeliver(delivery_id, endpoint_id=endpoint_id, benchmark_id=benchmark_id)
    await parts.doorbell.announce_webhooks()
    return delivery_out(row)
