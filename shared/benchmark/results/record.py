"""The record of one request as it goes from the measuring engine to the database."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.outcome import Outcome
from shared.numbers.digest import Digest
from shared.numbers.time_series import TimeSeries

Phase = Literal["connect", "before_first_token", "mid_stream"]
# From this share of input tokens on, an answer counts as that of a cache hit.
CACHE_HIT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them. Zero is a value, None is unknown.

    `cache_write_1h_tokens`: the part of `cache_write_tokens` that lives for an hour, at a price of its own.
    `cache_in_input`: whether `input_tokens` includes the cached tokens. That depends on the protocol.
    `cache_unknown`, `reasoning_unknown`: the provider reported such tokens, but by a number that cannot be right.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_in_input: bool = False
    cache_unknown: bool = False
    reasoning_unknown: bool = False

    @property
    def uncached_input_tokens(self) -> int | None:
        """Input tokens that were neither read from a cache nor written to one."""
        if self.input_tokens is None or not self.cache_in_input:
            return self.input_tokens
        return max(0, self.input_tokens - (self.cache_read_tokens or 0) - (self.cache_write_tokens or 0))

    @property
    def total_input_tokens(self) -> int | None:
        """All input tokens, whether they came from a cache or not."""
        uncached = self.uncached_input_tokens
        return None if uncached is None else uncached + (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)

    @property
    def prompt_cached(self) -> bool:
        """Whether so much of the input was read from a prompt cache that the times are those of a cache hit."""
        total = self.total_input_tokens
        return total is not None and total > 0 and (self.cache_read_tokens or 0) >= CACHE_HIT_SHARE * total


@dataclass(frozen=True, slots=True)
class RequestError:
    """Why a request did not succeed. The message is scrubbed of keys and capped."""

    kind: str
    message: str
    phase: Phase
    http_status: int | None = None
    provider_code: str | None = None
    retry_after_s: float | None = None

    def document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "http_status": self.http_status,
            "provider_code": self.provider_code,
            "phase": self.phase,
            "retry_after_s": self.retry_after_s,
        }


@dataclass(slots=True)
class ResultRecord:
    """One request's result. `metrics` has every name of `MEASURED` in `shared.numbers.metrics`.

    The other fields, and the names in `metrics`, are columns of `results`.
    """

    id: RequestId
    prompt_index: int
    repetition: int
    warmup: bool
    outcome: Outcome
    scheduled_at: datetime
    sent_at: datetime
    # When the request was over, whatever its outcome.
    ended_at: datetime
    connection_reused: bool
    metrics: dict[str, float | None]
    usage: Usage
    finish_reason: str | None
    error: RequestError | None
    flags: list[str]
    response: str | None
    reasoning: str | None
    provider_request_id: str | None
    timeline: bytes | None
    # What the answer says it came from, and what the provider says it cost.
    served_model: str | None = field(default=None)
    service_tier: str | None = field(default=None)
    system_fingerprint: str | None = field(default=None)
    provider_cost_usd: Decimal | None = field(default=None)
    cost_usd: Decimal | None = field(default=None)
    # Whether its place in the sequence has no further turn.
    ends_place: bool = field(default=True)
    # Whether the next turn of its conversation is sent only when a result before it is stored. It is not stored.
    holds_next_turn: bool = field(default=False)
    # The stage of a run that has stages, and the turn of a conversation. None: there is none.
    stage: int | None = field(default=None)
    turn: int | None = field(default=None)
    # What its events add to the run's aggregate. They are not stored; a stored timeline gives them again.
    gaps_ms: Digest | None = field(default=None)
    tokens_over_time: TimeSeries | None = field(default=None)
    # Round trip of the network on its connection; None where the kernel does not tell. It is not stored either.
    network_rtt_ms: float | None = field(default=None)
    # How long it took to send it once it was due and there was room; None: it was not sent. It is not stored either.
    send_delay_ms: float | None = field(default=None)

    @property
    def ttft_ms(self) -> float | None:
        return self.metrics["ttft_ms"]

    @property
    def latency_ms(self) -> float | None:
        return self.metrics["latency_ms"]
