"""The `webhooks` section of the OpenAPI document: what the service sends, and what receivers answer.

Nothing here is called. A worker sends the events (`worker/webhooks`).
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, status

from api.schemas.budget_event import BudgetEventOut
from api.schemas.events import BenchmarkEventOut, TestEventOut

router = APIRouter(tags=["events"])

WebhookId = Annotated[
    str,
    Header(
        description="Id of the event, the same at every attempt.", examples=["msg_5f0c8b1e9d7a4c2b8e6f3a1d0c9b7e5f"]
    ),
]
WebhookTimestamp = Annotated[
    str, Header(description="When this attempt was sent, in Unix seconds.", examples=["1736937002"])
]
WebhookSignature = Annotated[
    str,
    Header(
        description="`v1,` and an HMAC-SHA256 of id, timestamp and body in base64; after a rotation two of them, with "
        "a space between. See https://www.standardwebhooks.com.",
        examples=["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
    ),
]

# Type of the event, operation, when it is sent.
_EVENTS = (
    ("benchmark.started", "onBenchmarkStarted", "A worker has claimed the benchmark for the first time."),
    ("benchmark.completed", "onBenchmarkCompleted", "Every request has a result."),
    ("benchmark.failed", "onBenchmarkFailed", "The benchmark could not run, or no request succeeded."),
    ("benchmark.cancelled", "onBenchmarkCancelled", "The benchmark was cancelled."),
)
_ANSWER = "Any 2xx within 15 s. Every other answer is a failure, and the event is sent again later."


async def _benchmark_event(
    body: BenchmarkEventOut,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None: ...


async def _budget_event(
    body: BudgetEventOut,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None: ...


async def _test_event(
    body: TestEventOut,
    webhook_id: WebhookId,
    webhook_timestamp: WebhookTimestamp,
    webhook_signature: WebhookSignature,
) -> None: ...


def _document(name: str, operation_id: str, when: str, receiver: Callable[..., Awaitable[None]]) -> None:
    router.add_api_route(
        name,
        receiver,
        methods=["POST"],
        operation_id=operation_id,
        summary=name,
        description=f"{when} Verify the signature first: the same event can arrive twice, with the same `webhook-id`.",
        status_code=status.HTTP_204_NO_CONTENT,
        response_description=_ANSWER,
    )


for _name, _operation_id, _when in _EVENTS:
    _document(_name, _operation_id, _when, _benchmark_event)
_document(
    "budget.reached",
    "onBudgetReached",
    "A budget could not pay for further requests: once for each benchmark's budget, and once a day or month for that "
    "of a key or an owner.",
    _budget_event,
)
_document("webhook.test", "onWebhookTest", "A client called `POST /webhooks/{webhook_id}/test`.", _test_event)
