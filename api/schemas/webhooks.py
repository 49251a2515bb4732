"""Webhook endpoints, their deliveries and attempts."""

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)
from pydantic_core import PydanticKnownError

from shared.benchmark.prompt import to_tuple
from shared.text import StorableText
from shared.webhooks.message import DeliveryStatus, EventType, check_secret

MAX_EVENTS = len(get_args(EventType))


def _events(value: Any) -> Any:
    # Before the items are looked at: each wrong one would be an error.
    if isinstance(value, list | tuple) and len(value) > MAX_EVENTS:
        raise PydanticKnownError(
            "too_long", {"field_type": "Tuple", "max_length": MAX_EVENTS, "actual_length": len(value)}
        )
    return to_tuple(value)


def _whole_secret(secret: SecretStr) -> SecretStr:
    check_secret(secret.get_secret_value())
    return secret


WebhookEvents = Annotated[
    tuple[EventType, ...],
    BeforeValidator(_events),
    Field(min_length=1, max_length=MAX_EVENTS),
]
WebhookSecret = Annotated[SecretStr, AfterValidator(_whole_secret)]

Url = Annotated[StorableText, StringConstraints(min_length=1, max_length=2_000)]
Description = Annotated[StorableText, StringConstraints(max_length=500)]

_URL = (
    "Where events are sent by POST: http or https. Only public addresses and those in `ALLOWED_PRIVATE_CIDRS` are "
    "allowed. Redirects are not followed."
)


class WebhookIn(BaseModel):
    """An endpoint that gets the events of all benchmarks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Url = Field(description=_URL, examples=["https://hooks.example.com/bench"])
    events: WebhookEvents | None = Field(
        default=None, description="Only these events. Null: all.", examples=[["benchmark.completed"]]
    )
    secret: WebhookSecret | None = Field(
        default=None,
        description="Secret that signs what is sent: `whsec_` and 24 to 64 random bytes in base64. If left out, the "
        "server makes one.",
    )
    description: Description = Field(default="", description="For people.", examples=["release pipeline"])


class WebhookChange(BaseModel):
    """What to change. Fields that are left out keep their values."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Url | None = Field(default=None, description=_URL)
    events: WebhookEvents | None = Field(default=None, description="Only these events. Null: all.")
    description: Description | None = Field(default=None, description="For people.")
    enabled: bool | None = Field(
        default=None, description="False: nothing is sent, and due deliveries wait. True: sending goes on."
    )


class WebhookOut(BaseModel):
    """An endpoint, without its secret."""

    id: int = Field(description="Id of the endpoint.", examples=[1])
    url: str = Field(description="Where events are sent.", examples=["https://hooks.example.com/bench"])
    events: list[str] | None = Field(description="Events that it gets. Null: all.", examples=[None])
    description: str = Field(description="For people.", examples=["release pipeline"])
    enabled: bool = Field(description="Whether anything is sent.", examples=[True])
    disabled_reason: str | None = Field(
        description="Why nothing is sent, such as `it answered 410 Gone`. Null while it is enabled.", examples=[None]
    )
    failing_since: datetime | None = Field(
        description="UTC instant of the first failure since the last success. The endpoint is disabled after five days "
        "without success. Null while it works.",
        examples=[None],
    )
    created_at: datetime = Field(description="UTC instant of its registration.", examples=["2025-01-15T10:30:00Z"])


class WebhookCreated(WebhookOut):
    """A new endpoint with its secret, which is shown only once."""

    secret: str = Field(
        description="Secret to verify signatures with. It is stored encrypted and never shown again.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class WebhookRotated(BaseModel):
    """A new secret, which is shown only once."""

    secret: str = Field(
        description="From now on, every attempt is signed with this secret.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )
    previous_expires_at: datetime = Field(
        description="UTC instant until which attempts are also signed with the previous secret.",
        examples=["2025-01-16T10:30:00Z"],
    )


class WebhookPage(BaseModel):
    """A page of endpoints, newest first."""

    items: list[WebhookOut] = Field(description="The endpoints of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=["WzQyXQ"]
    )


class BenchmarkWebhook(BaseModel):
    """The benchmark's own `webhook_url`, besides the registered endpoints."""

    url: str = Field(description="As submitted.", examples=["https://hooks.example.com/bench"])
    events: list[str] | None = Field(description="As submitted. Null: all.", examples=[None])
    disabled_reason: str | None = Field(
        description="Why nothing more is sent. Null while events are sent.", examples=[None]
    )
    secret: str | None = Field(
        default=None,
        description="The signing secret, only in answers to the POST and to its repetition with the same "
        "`Idempotency-Key`. Null in every other answer.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class AttemptOut(BaseModel):
    """One HTTP request of a delivery."""

    number: int = Field(description="1 for the first.", examples=[1])
    url: str = Field(description="Where it was sent.", examples=["https://hooks.example.com/bench"])
    attempted_at: datetime = Field(description="UTC instant of its start.", examples=["2025-01-15T10:30:02Z"])
    status_code: int | None = Field(
        description="HTTP status of the answer. Null when there was none, or while the attempt runs.", examples=[500]
    )
    duration_ms: float | None = Field(
        description="Duration. Unit: ms. Null while the attempt runs, and if its worker died during it.",
        examples=[182.4],
    )
    error: str | None = Field(description="Why it failed. Null when it did not.", examples=["answered 500"])
    response: str | None = Field(
        description="The beginning of the answer's body, at most 2,000 characters. Null when there was none.",
        examples=["Internal Server Error"],
    )
    next_attempt_at: datetime | None = Field(
        description="UTC instant of the next attempt. Null when there is none.", examples=["2025-01-15T10:30:07Z"]
    )


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint."""

    id: int = Field(description="Id of the delivery.", examples=[1])
    event_id: str = Field(
        description="Id of the event: the `webhook-id` of every attempt.",
        examples=["msg_5f0c8b1e9d7a4c2b8e6f3a1d0c9b7e5f"],
    )
    type: str = Field(description="Type of the event.", examples=["benchmark.completed"])
    benchmark_id: int | None = Field(description="Id of the benchmark. Null for a test.", examples=[1])
    webhook_id: int | None = Field(
        description="Id of the registered endpoint. Null for a benchmark's own `webhook_url`.", examples=[1]
    )
    url: str = Field(description="Where it goes.", examples=["https://hooks.example.com/bench"])
    status: DeliveryStatus = Field(
        description="`failed`: every attempt of the schedule has failed.", examples=["delivered"]
    )
    created_at: datetime = Field(description="UTC instant of the event.", examples=["2025-01-15T10:30:02Z"])
    delivered_at: datetime | None = Field(
        description="UTC instant of the attempt that succeeded. Null when none has succeeded yet.",
        examples=["2025-01-15T10:30:02.184000Z"],
    )
    next_attempt_at: datetime | None = Field(
        description="UTC instant of the next attempt. Null when there is none.", examples=[None]
    )
    attempts: list[AttemptOut] = Field(description="All attempts, the first one first.")
    payload: dict[str, Any] = Field(
        description="The body that is sent.",
        examples=[{"type": "benchmark.completed", "timestamp": "2025-01-15T10:30:02Z", "data": {"id": 1}}],
    )


class DeliveryPage(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryOut] = Field(description="The deliveries of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=["WzQyXQ"]
    )


class PageQuery(BaseModel):
    """Which page to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=20, ge=1, le=200, description="Items on a page.")
