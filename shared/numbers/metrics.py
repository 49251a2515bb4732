"""What each number means, and the numbers of one request computed from its timeline.

`DEFINITIONS` is printed wherever a person reads a number: OpenAPI, CLI, docs/metrics.md (a test keeps them equal).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.numbers.timeline import ANSWER_KINDS, TOKEN_KINDS, EventKind, TimelineEvent


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric as documented: unit, formula, and when it is unknown."""

    name: str
    unit: str
    definition: str
    null_when: str = "never"

    @property
    def text(self) -> str:
        """One sentence for schemas and tooltips."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        null = f" Null when {self.null_when}." if self.null_when != "never" else ""
        return f"{self.definition}.{unit}{null}"


_TOKENS_UNKNOWN = "`output_tokens` is unknown or below 2, or the whole answer came in one read (flag `buffered`)"
_NO_EVENT = "no such event arrived"

DEFINITIONS = {
    item.name: item
    for item in (
        Definition("scheduled_at", "UTC instant", "When the load plan wanted the request"),
        Definition("sent_at", "UTC instant", "When the request's first byte was handed to the socket"),
        Definition(
            "queue_ms", "ms", "`sent_at - scheduled_at`: time spent waiting at our own semaphore, pool or pacer"
        ),
        Definition(
            "connect_ms", "ms", "DNS, TCP and TLS of a new connection, outside `ttft_ms`", "the connection was reused"
        ),
        Definition(
            "tls_ms", "ms", "The TLS handshake, a part of `connect_ms`", "the connection was reused or not encrypted"
        ),
        Definition("connection_reused", "", "Whether the request went over a connection that was already open"),
        Definition("ttfb_ms", "ms", "Sent to the first byte of the response body", "there was no body"),
        Definition(
            "ttft_ms",
            "ms",
            "Time to first token: sent to the first event with non-empty content, reasoning or tool-call text; "
            "role-only, empty, ping and usage events are not tokens",
            _NO_EVENT,
        ),
        Definition(
            "ttfat_ms",
            "ms",
            "Time to first answer token: sent to the first non-empty visible answer (content or tool call), "
            "so thinking time is seen",
            _NO_EVENT,
        ),
        Definition("latency_ms", "ms", "Sent to the last event with content, reasoning or tool-call text", _NO_EVENT),
        Definition("stream_close_ms", "ms", "Sent to the end of the response", "it was cut off"),
        Definition(
            "tokens_per_second",
            "tokens/s",
            "`output_tokens / (latency_ms - ttft_ms) * 1000`: generation speed after the first token",
            _TOKENS_UNKNOWN,
        ),
        Definition(
            "tpot_ms",
            "ms/token",
            "`(latency_ms - ttft_ms) / (output_tokens - 1)`: time per output token after the first",
            _TOKENS_UNKNOWN,
        ),
        Definition("max_stall_ms", "ms", "Longest gap between two content events", "there were fewer than two"),
        Definition(
            "effective_latency_ms",
            "ms",
            "`scheduled_at` → last event with content, so that the queue of a stalled server counts: `queue_ms + "
            "latency_ms`. Only in an open loop (`request_rate`)",
            "closed loop, or no such event",
        ),
        Definition(
            "inter_chunk_latency_ms",
            "ms",
            "Gaps between successive content events, pooled over requests; an event may carry several tokens",
            "there were fewer than two events, or timelines were not stored",
        ),
        Definition(
            "input_tokens",
            "tokens",
            "As the provider's usage counts them (Anthropic leaves cached tokens out, OpenAI counts them in)",
            "the provider gave none",
        ),
        Definition(
            "output_tokens", "tokens", "From the provider's usage, reasoning included", "the provider gave none"
        ),
        Definition("reasoning_tokens", "tokens", "From the provider's usage", "the provider gave none"),
        Definition("cache_read_tokens", "tokens", "From the provider's usage", "the provider gave none"),
        Definition("cache_write_tokens", "tokens", "From the provider's usage", "the provider gave none"),
        Definition(
            "token_source", "", "`usage`: the provider's own count; chunks are never counted as tokens", "unknown"
        ),
        Definition(
            "cost_usd",
            "USD",
            "Each token class (input, cache read, cache write, output) once at the price in force when the run "
            "started; that price is stored with the run",
            "the model is unpriced or the usage unknown; never 0 for unknown",
        ),
        Definition(
            "outcome",
            "",
            "`succeeded`: 2xx, no error in the stream, terminal evidence, and content or a finish reason; "
            "`errored`, `timed_out`, `cancelled`; `truncated`: the stream ended without terminal evidence",
        ),
    )
}

# Metrics of a request that a run's summary gives a distribution for, in the order in which they are shown.
DISTRIBUTED = (
    "ttft_ms",
    "ttfat_ms",
    "latency_ms",
    "tpot_ms",
    "tokens_per_second",
    "max_stall_ms",
    "ttfb_ms",
    "stream_close_ms",
    "queue_ms",
    "connect_ms",
)


@dataclass(frozen=True, slots=True)
class RequestMetrics:
    """Numbers of one request, by the names of `DEFINITIONS`."""

    ttfb_ms: float | None
    ttft_ms: float | None
    ttfat_ms: float | None
    latency_ms: float | None
    stream_close_ms: float | None
    tokens_per_second: float | None
    tpot_ms: float | None
    max_stall_ms: float | None
    buffered: bool


def compute(timeline: Sequence[TimelineEvent], output_tokens: int | None) -> RequestMetrics:
    """The metrics of a request from its timeline (offsets in µs since sent) and the provider's token count."""
    tokens = [event.offset_us for event in timeline if event.kind in TOKEN_KINDS]
    first, last = (tokens[0], tokens[-1]) if tokens else (None, None)
    per_second = tpot = None
    # One read carried it all: the gap between first and last token is our reading, not their generating.
    buffered = len(set(tokens)) == 1 and (output_tokens is None or output_tokens > 1)
    if first is not None and last is not None and output_tokens is not None and output_tokens >= 2 and last > first:
        span_ms = (last - first) / 1_000
        per_second = output_tokens / span_ms * 1_000
        tpot = span_ms / (output_tokens - 1)
    return RequestMetrics(
        ttfb_ms=_first(timeline, {EventKind.FIRST_BYTE}),
        ttft_ms=_ms(first),
        ttfat_ms=_first(timeline, ANSWER_KINDS),
        latency_ms=_ms(last),
        stream_close_ms=_first(timeline, {EventKind.END}),
        tokens_per_second=per_second,
        tpot_ms=tpot,
        max_stall_ms=max(chunk_gaps_ms(timeline), default=None),
        buffered=buffered,
    )


def chunk_gaps_ms(timeline: Iterable[TimelineEvent]) -> list[float]:
    """Gaps between successive content events in ms; never called inter-token latency."""
    offsets = [event.offset_us for event in timeline if event.kind in TOKEN_KINDS]
    return [(later - earlier) / 1_000 for earlier, later in pairwise(offsets)]


def _first(timeline: Iterable[TimelineEvent], kinds: Iterable[EventKind]) -> float | None:
    return _ms(next((event.offset_us for event in timeline if event.kind in kinds), None))


def _ms(offset_us: int | None) -> float | None:
    return None if offset_us is None else offset_us / 1_000
