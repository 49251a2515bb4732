"""What a caller of `POST /benchmarks` asks for. The API reads it from JSON, see `api.schemas.benchmark_request`."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from shared.benchmark.spec import BenchmarkSpec


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """An endpoint for the events of one benchmark. `events`: None for all. `secret`: None to get a new one."""

    url: str
    events: Sequence[str] | None
    secret: SecretStr | None


@dataclass(frozen=True, slots=True)
class BenchmarkRequest:
    """A spec, which is stored with the benchmark and run, and a webhook, which is stored on its own."""

    spec: BenchmarkSpec
    webhook: WebhookRequest | None = None
