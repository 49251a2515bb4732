"""Webhook endpoints, their deliveries and attempts."""

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints

from shared.benchmark.prompt import to_tuple
from shared.text import StorableText
from shared.webhooks.message import BenchmarkEvent, DeliveryStatus, check_secret


def _whole_secret(secret: SecretStr) -> SecretStr:
    check_secret(secret.get_secret_value())
    return secret


WebhookEvents = Annotated[
    tuple[BenchmarkEvent, ...],
    BeforeValidator(to_tuple),
    Field(min_length=1, max_length=len(get_args(BenchmarkEvent))),
]
WebhookSecret = Annotated[SecretStr, AfterValidator(_whole_secret)]

Url = Annotated[StorableText, StringConstraints(min_length=1, max_length=2_000)]
Description = Annotated[StorableText, StringConstraints(max_length=500)]

_URL = (
    "Where events are sent by POST: http or https, public addresses only but for `ALLOWED_PRIVATE_CIDRS`; redirects "
    "are not followed."
)


class WebhookIn(BaseModel):
    """An endpoint that is told of all benchmarks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Url = Field(description=_URL, examples=["https://hooks.example.com/bench"])
    events: WebhookEvents | None = Field(
        default=None, description="Only these events. Null: all.", examples=[["benchmark.completed"]]
    )
    secret: WebhookSecret | None = Field(
        default=None,
        description="Signs what is sent: `whsec_` and 24 to 64 random bytes in base64. One is made where left out.",
    )
    description: Description = Field(default="", description="For people.", examples=["release pipeline"])


class WebhookChange(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Url | None = Field(default=None, description=_URL)
    events: WebhookEvents | None = Field(default=None, description="Only these events. Null: all.")
    description: Description | None = Field(default=None, description="For people.")
    enabled: bool | None = Field(
        default=None, description="False: nothing is sent, and what is due waits. True: it goes on."
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
        description="UTC instant of the first failure since the last success; after five days it is disabled. Null "
        "while it works.",
        examples=[None],
    )
    created_at: datetime = Field(description="UTC instant of its registration.", examples=["2025-01-15T10:30:00Z"])


class WebhookCreated(WebhookOut):
    """A new endpoint with its secret, which is shown this once."""

    secret: str = Field(
        description="Verify signatures with it. Stored encrypted, never shown again.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class WebhookRotated(BaseModel):
    """A new secret, shown this once."""

    secret: str = Field(
        description="Every attempt is signed with it from now on.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )
    previous_expires_at: datetime = Field(
        description="UTC instant until which attempts are signed with the secret before as well.",
        examples=["2025-01-16T10:30:00Z"],
    )


class WebhookPage(BaseModel):
    """A page of endpoints, newest first."""

    items: list[WebhookOut] = Field(description="The endpoints of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=["WzQyXQ"]
    )


class BenchmarkWebhook(BaseModel):
    """Whom this benchmark tells, besides the registered endpoints."""

    url: str = Field(description="As submitted.", examples=["https://hooks.example.com/bench"])
    events: list[str] | None = Field(description="As submitted. Null: all.", examples=[None])
    disabled_reason: str | None = Field(description="Why nothing more is sent. Null while it is.", examples=[None])
    secret: str | None = Field(
        default=None,
        description="What signs, in the answer to the POST (and to its repetition with the same `Idempotency-Key`). "
        "Null in every other.",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class AttemptOut(BaseModel):
    """One HTTP request of a delivery."""

    number: int = Field(description="1 for the first.", examples=[1])
    url: str = Field(description="Where it was sent.", examples=["https://hooks.example.com/bench"])
    attempted_at: datetime = Field(description="UTC instant of its begin.", examples=["2025-01-15T10:30:02Z"])
    status_code: int | None = Field(
        description="HTTP status of the answer. Null when none came, or while it is under way.", examples=[500]
    )
    duration_ms: float | None = Field(
        description="Unit: ms. Null while it is under way, and where its worker died in it.", examples=[182.4]
    )
    error: str | None = Field(description="Why it failed. Null when it did not.", examples=["answered 500"])
    response: str | None = Field(
        description="The beginning of the answer's body, 2,000 characters at most. Null when none came.",
        examples=["Internal Server Error"],
    )
    next_attempt_at: datetime | None = Field(
        description="UTC instant of the attempt after it. Null when there is none.", examples=["2025-01-15T10:30:07Z"]
    )


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint."""

    id: int = Field(description="Id of the delivery.", examples=[1])
    event_id: str = Field(
        description="`webhook-id` of every attempt.", examples=["msg_5f0c8b1e9d7a4c2b8e6f3a1d0c9b7e5f"]
    )
    type: str = Field(description="Type of the event.", examples=["benchmark.completed"])
    benchmark_id: int | None = Field(description="Null for a test.", examples=[1])
    webhook_id: int | None = Field(
        description="Registered endpoint. Null where the benchmark named the URL itself.", examples=[1]
    )
    url: str = Field(description="Where it goes.", examples=["https://hooks.example.com/bench"])
    status: DeliveryStatus = Field(
        description="`failed`: every attempt of the schedule has failed.", examples=["delivered"]
    )
    created_at: datetime = Field(description="UTC instant of the event.", examples=["2025-01-15T10:30:02Z"])
    delivered_at: datetime | None = Field(
        description="UTC instant of the attempt that succeeded. Null when none did yet.",
        examples=["2025-01-15T10:30:02.184000Z"],
    )
    next_attempt_at: datetime | None = Field(
        description="UTC instant of the next attempt. Null when there is none.", examples=[None]
    )
    attempts: list[AttemptOut] = Field(description="First to last.")
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
    """Which page."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )
    limit: int = Field(default=20, ge=1, le=200, description="Items on a page.")
