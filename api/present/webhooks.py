"""Turns database rows of webhooks into the API's schemas."""

import orjson

from api.schemas.webhooks import AttemptOut, BenchmarkWebhook, DeliveryOut, WebhookOut
from shared.db.tables.webhooks import WebhookEndpoint
from shared.db.webhooks.delivery_history import DeliveryOfEvent
from shared.webhooks.message import payload


def webhook_out(endpoint: WebhookEndpoint) -> WebhookOut:
    """A registered endpoint, without its secret."""
    values = {name: getattr(endpoint, name) for name in WebhookOut.model_fields}
    return WebhookOut(**values | {"events": endpoint.chosen})


def benchmark_webhook(endpoint: WebhookEndpoint | None, secret: str | None = None) -> BenchmarkWebhook | None:
    """A benchmark's own `webhook_url`. None if it has none."""
    if endpoint is None:
        return None
    return BenchmarkWebhook(
        url=endpoint.url, events=endpoint.chosen, disabled_reason=endpoint.disabled_reason, secret=secret
    )


def delivery_out(row: DeliveryOfEvent) -> DeliveryOut:
    """A delivery with its attempts and its payload."""
    delivery, event, endpoint = row.delivery, row.event, row.endpoint
    return DeliveryOut(
        id=delivery.id,
        event_id=event.id,
        type=event.type,
        benchmark_id=event.benchmark_id,
        webhook_id=endpoint.id if endpoint.benchmark_id is None else None,
        url=endpoint.url,
        status=delivery.status,
        created_at=event.created_at,
        delivered_at=delivery.delivered_at,
        next_attempt_at=delivery.next_attempt_at,
        attempts=[
            AttemptOut(**{name: getattr(attempt, name) for name in AttemptOut.model_fields}) for attempt in row.attempts
        ],
        payload=orjson.loads(payload(event.type, event.created_at, event.data)),
    )
