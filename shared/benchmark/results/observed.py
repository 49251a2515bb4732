"""One result as an aggregate sees it. `observe.py` makes it from a record or a stored row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.benchmark.request_id import RequestId
from shared.numbers.digest import Digest
from shared.numbers.time_series import TimeSeries


@dataclass(frozen=True, slots=True)
class Observed:
    """One result as an aggregate sees it. Times are µs since the epoch; the keys of `metrics` are names of metrics.

    `gaps_ms`: gaps between its content events; `tokens`: its output tokens by time. None if its events are unknown.
    """

    id: RequestId
    prompt_index: int
    repetition: int
    warmup: bool
    outcome: str
    sent_us: int
    ended_us: int
    queue_ms: float
    metrics: Mapping[str, float | None]
    counts: Mapping[str, int | None]
    cost_usd: Decimal | None
    provider_cost_usd: Decimal | None
    served_model: str | None
    service_tier: str | None
    finish_reason: str | None
    error_kind: str | None
    flags: Sequence[str]
    gaps_ms: Digest | None
    tokens: TimeSeries | None
    # Round trip of the network on its connection. None if it is not known; it is not stored with results.
    network_rtt_ms: float | None = None
    # How long it took to send it once it was due and there was room. None if it is not known; it is not stored.
    send_delay_ms: float | None = None

    @property
    def written(self) -> TimeSeries | None:
        """`tokens`; those of an answer without text, such as hidden reasoning alone, at its end."""
        count = self.counts["output_tokens"]
        if self.tokens is None or self.tokens.total or not count:
            return self.tokens
        return TimeSeries.of([self.ended_us], [count])
