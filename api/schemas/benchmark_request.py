"""The body of `POST /benchmarks`."""

from pydantic import ConfigDict, Field, model_validator

from api.schemas.webhooks import WebhookEvents, WebhookSecret
from shared.benchmark.request import BenchmarkRequest, WebhookRequest
from shared.benchmark.spec import BenchmarkSpec


class BenchmarkBody(BenchmarkSpec):
    """What `POST /benchmarks` takes: a spec, and optionally a webhook."""

    # The name of the schema in the OpenAPI document.
    __qualname__ = "BenchmarkRequest"
    model_config = ConfigDict(title="BenchmarkRequest")

    webhook_url: str | None = Field(
        default=None,
        max_length=2_000,
        description="URL that gets this benchmark's events, besides the registered ones (`/webhooks`). Only public "
        "addresses and those in `ALLOWED_PRIVATE_CIDRS` are allowed. Null: no URL.",
        examples=["https://hooks.example.com/bench"],
    )
    webhook_events: WebhookEvents | None = Field(
        default=None,
        description="Only these events go to `webhook_url`. Null: all.",
        examples=[["benchmark.completed", "benchmark.failed"]],
    )
    webhook_secret: WebhookSecret | None = Field(
        default=None,
        description="Secret that signs what is sent to `webhook_url`: `whsec_` and 24 to 64 random bytes in base64. If "
        "left out, the server makes one and returns it once.",
    )

    @model_validator(mode="after")
    def _webhook_needs_a_url(self) -> "BenchmarkBody":
        if self.webhook_url is None and (self.webhook_events is not None or self.webhook_secret is not None):
            raise ValueError("webhook_events and webhook_secret belong to a webhook_url: set it as well")
        return self

    def request(self) -> BenchmarkRequest:
        """The spec and the webhook apart. The spec still knows which fields the caller set."""
        fields = BenchmarkSpec.model_fields.keys()
        spec = BenchmarkSpec.model_construct(
            self.model_fields_set & fields, **{name: getattr(self, name) for name in fields}
        )
        if self.webhook_url is None:
            return BenchmarkRequest(spec)
        return BenchmarkRequest(spec, WebhookRequest(self.webhook_url, self.webhook_events, self.webhook_secret))
