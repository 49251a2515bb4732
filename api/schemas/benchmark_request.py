"""The body of `POST /benchmarks`."""

from pydantic import ConfigDict, Field, model_validator

from api.schemas.webhooks import WebhookEvents, WebhookSecret
from shared.benchmark.request import BenchmarkRequest, WebhookRequest
from shared.benchmark.spec import BenchmarkSpec


class BenchmarkBody(BenchmarkSpec):
    """What `POST /benchmarks` takes: a spec, and whom to tell of what becomes of it."""

    # The name of the schema in the OpenAPI document.
    __qualname__ = "BenchmarkRequest"
    model_config = ConfigDict(title="BenchmarkRequest")

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
    def _webhook_needs_a_url(self) -> "BenchmarkBody":
        if self.webhook_url is None and (self.webhook_events is not None or self.webhook_secret is not None):
            raise ValueError("webhook_events and webhook_secret belong to a webhook_url: set it as well")
        return self

    def request(self) -> BenchmarkRequest:
        """The spec, with the fields that the caller set, apart from the webhook."""
        fields = BenchmarkSpec.model_fields.keys()
        spec = BenchmarkSpec.model_construct(
            self.model_fields_set & fields, **{name: getattr(self, name) for name in fields}
        )
        if self.webhook_url is None:
            return BenchmarkRequest(spec)
        return BenchmarkRequest(spec, WebhookRequest(self.webhook_url, self.webhook_events, self.webhook_secret))
