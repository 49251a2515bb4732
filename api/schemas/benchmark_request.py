"""The body of `POST /benchmarks`, with examples for Swagger."""

from fastapi.openapi.models import Example
from pydantic import ConfigDict, Field, model_validator

from api.schemas.webhooks import WebhookEvents, WebhookSecret
from shared.benchmark.request import BenchmarkRequest, WebhookRequest
from shared.benchmark.spec import BenchmarkSpec

EXAMPLES: dict[str, Example] = {
    "shortest": {
        "summary": "A model and prompts",
        "value": {
            "name": "Haiku Speed Test",
            "model": "claude-3-haiku-20240307",
            "prompts": ["Say hello in exactly 3 words", "What is 2 + 2?"],
        },
    },
    "repeated": {
        "summary": "Repeated, concurrent, with parameters",
        "value": {
            "name": "Load test",
            "model": "gpt-4o-mini",
            "provider": "openai",
            "system": "Answer in one sentence.",
            "prompts": [
                "Why is the sky blue?",
                {"messages": [{"role": "user", "content": "Name a river."}], "parameters": {"max_tokens": 20}},
            ],
            "parameters": {"max_tokens": 200, "temperature": 0},
            "repetitions": 25,
            "warmup": 2,
            "concurrency": 8,
            "timeouts": {"ttft_s": 20, "total_s": 60},
            "metadata": {"team": "search"},
        },
    },
    "generated": {
        "summary": "Generated text of a given length, never from a prompt cache",
        "value": {
            "name": "512 in, 128 out",
            "model": "gpt-4o-mini",
            "workload": {"source": "generated", "input_tokens": 512, "output_tokens": 128, "cache": "bust"},
            "repetitions": 200,
            "concurrency": 16,
        },
    },
    "stages": {
        "summary": "An open loop in stages, with service-level objectives",
        "value": {
            "name": "Peak hour",
            "model": "gpt-4o-mini",
            "workload": {"source": "builtin", "order": "shuffled"},
            "slos": {"ttft_ms": 500, "tpot_ms": 50},
            "load": {
                "arrival": "poisson",
                "drop_after_s": 5,
                "stages": [
                    {"name": "calm", "request_rate": 5, "duration_s": 60},
                    {"name": "peak", "request_rate": 30, "duration_s": 120},
                ],
            },
        },
    },
    "sweep": {
        "summary": "The load curve, from one stream to saturation",
        "value": {
            "name": "Load curve",
            "model": "gpt-4o-mini",
            "workload": {"source": "generated", "input_tokens": 512, "output_tokens": 128, "cache": "bust"},
            "load": {"sweep": {"concurrency": {"from": 1, "to": 64}, "duration_s": 30}},
        },
    },
    "search": {
        "summary": "The highest load that meets service-level objectives",
        "value": {
            "name": "Capacity",
            "model": "gpt-4o-mini",
            "workload": {"source": "builtin", "order": "shuffled"},
            "slos": {"ttft_ms": 500, "attainment": 0.95},
            "load": {"search": {"max": 256, "probe_s": 30, "sustain_s": 60}},
        },
    },
}


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
