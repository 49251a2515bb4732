"""What `POST /benchmarks` takes: a spec, and whom to tell of its events."""

from typing import Annotated, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from shared.benchmark.spec import BenchmarkSpec, to_tuple
from shared.webhooks.message import BenchmarkEvent, check_secret


def _whole_secret(secret: SecretStr) -> SecretStr:
    check_secret(secret.get_secret_value())
    return secret


WebhookEvents = Annotated[
    tuple[BenchmarkEvent, ...],
    BeforeValidator(to_tuple),
    Field(min_length=1, max_length=len(get_args(BenchmarkEvent))),
]
WebhookSecret = Annotated[SecretStr, AfterValidator(_whole_secret)]


class BenchmarkRequest(BenchmarkSpec):
    """What `POST /benchmarks` takes: a spec, and whom to tell of what becomes of it."""

    webhook_url: str | None = Field(
        default=None,
        max_length=2_000,
        description="URL that is told of this benchmark's events, besides the registered ones (`/webhooks`). Public "
        "addresses only, but for `ALLOWED_PRIVATE_CIDRS`. Null: nobody.",
        examples=["https://hooks.example.com/bench"],
    )
    webhook_events: WebhookEvents | None = Field(
        default=None,
        description="Only these events go to `webhook_url`. Null: all.",
        examples=[["benchmark.completed", "benchmark.failed"]],
    )
    webhook_secret: WebhookSecret | None = Field(
        default=None,
        description="Signs what goes to `webhook_url`: `whsec_` and 24 to 64 random bytes in base64. Where left out, "
        "one is made and returned once.",
    )

    @model_validator(mode="after")
    def _webhook_needs_a_url(self) -> "BenchmarkRequest":
        if self.webhook_url is None and (self.webhook_events is not None or self.webhook_secret is not None):
            raise ValueError("webhook_events and webhook_secret belong to a webhook_url: set it as well")
        return self


# What is said to whom is no part of the spec that is stored and run.
WEBHOOK_FIELDS = {"webhook_url", "webhook_events", "webhook_secret"}
