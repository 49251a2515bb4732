"""What webhooks say, how they are signed, and when they are tried again: https://www.standardwebhooks.com."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import orjson
from standardwebhooks import Webhook

BenchmarkEvent = Literal["benchmark.started", "benchmark.completed", "benchmark.failed", "benchmark.cancelled"]
BudgetEvent = Literal["budget.reached"]
# What an endpoint can ask for.
EventType = Literal[BenchmarkEvent, BudgetEvent]
DeliveryStatus = Literal["pending", "delivered", "failed"]
DELIVERY_STATUSES: tuple[DeliveryStatus, ...] = get_args(DeliveryStatus)

# Seconds to wait before each attempt; the first follows the event.
SCHEDULE_S = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
# Waits vary by this share, so that receivers that failed together are not tried again together.
JITTER = 0.1
LONGEST_WAIT_S = 24 * 3600
# An endpoint is disabled after it has failed for this long without one success.
DISABLE_AFTER_S = 5 * 24 * 3600
# After a rotation, both secrets sign for this long.
ROTATION_S = 24 * 3600

# What attempts call themselves, before the version.
USER_AGENT = "llmbench-webhooks/"

PREFIX = "whsec_"
SECRET_BYTES = (24, 64)
MAX_PAYLOAD_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """Where to send events, and which ones (None: all). `sealed`: the signing secrets, encrypted."""

    url: str
    events: Sequence[str] | None
    sealed: Sequence[str]
    description: str = ""


def new_secret() -> str:
    """A signing secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(text: str) -> str:
    """Returns the secret. Raises ValueError if it is not `whsec_` and 24 to 64 bytes in base64."""
    least, most = SECRET_BYTES
    try:
        size = len(base64.b64decode(text.removeprefix(PREFIX), validate=True))
    except ValueError:
        size = 0
    if not text.startswith(PREFIX) or not least <= size <= most:
        raise ValueError(f"must be {PREFIX} and {least} to {most} random bytes in base64")
    return text


def signed_headers(event_id: str, at: datetime, body: bytes, signing: Sequence[str]) -> dict[str, str]:
    """Headers of one attempt, signed with every secret that is valid now."""
    text = body.decode()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, at, text) for secret in signing),
    }


def payload(event_type: str, created_at: datetime, data: dict[str, Any]) -> bytes:
    """The body, the same bytes at each attempt."""
    return orjson.dumps({"type": event_type, "timestamp": instant(created_at), "data": data})


def instant(at: datetime) -> str:
    """As the API writes dates: ISO 8601 in UTC with a Z."""
    return at.isoformat().replace("+00:00", "Z")


def instant_or_none(at: datetime | None) -> str | None:
    """The same, for what may not have happened."""
    return None if at is None else instant(at)


def benchmark_url(benchmark_id: int, public_url: str | None) -> str:
    """Where the API has a benchmark. `public_url` None: the path alone."""
    return f"{(public_url or '').rstrip('/')}/benchmarks/{benchmark_id}"


def wait_s(step: int, retry_after_s: float | None, jitter: float) -> float | None:
    """Seconds until the attempt after `step` failures; None if there are no more attempts.

    `jitter` is between -1 and 1. A receiver's Retry-After counts if it is longer than the schedule's wait, up to a day.
    """
    if step >= len(SCHEDULE_S):
        return None
    planned = SCHEDULE_S[step] * (1 + JITTER * jitter)
    return max(planned, min(retry_after_s or 0, LONGEST_WAIT_S))
