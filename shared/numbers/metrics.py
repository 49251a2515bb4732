"""The registry of metrics: one entry for each number about a request, and what follows from the entries.

The columns of `results`, the API's schemas, the terminal's tables and docs/metrics.md follow from it or are tested
against it. CONTRIBUTING.md says how to add a metric.
"""

from collections.abc import Iterable

from shared.numbers import formulas
from shared.numbers.fields import FIELDS
from shared.numbers.formulas import RequestFacts
from shared.numbers.metric import Definition, Metric

_TOKENS_UNKNOWN = (
    "the number of visible tokens is unknown or below 2, or the answer came at once or in a burst (flag `buffered`)"
)
_NO_EVENT = "no such event arrived"
_NOT_REPORTED = "the provider reported none"

METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="queue_ms",
            unit="ms",
            definition="`sent_at - scheduled_at`: how long the request waited in the worker before it was sent",
            source="engine",
            example=1.2,
            distributed=True,
            sortable=True,
        ),
        Metric(
            name="connect_ms",
            unit="ms",
            definition="Time to open a new connection: DNS, TCP and TLS. It is not part of `ttft_ms`",
            null_when="the connection was reused",
            source="engine",
            example=31.7,
            distributed=True,
            sortable=True,
        ),
        Metric(
            name="tls_ms",
            unit="ms",
            definition="Time of the TLS handshake, a part of `connect_ms`",
            null_when="the connection was reused or not encrypted",
            source="engine",
            example=18.2,
            sortable=True,
        ),
        Metric(
            name="ttfb_ms",
            unit="ms",
            definition="Time to first byte: from `sent_at` to the first byte of the response body",
            null_when="there was no body",
            source="timeline",
            compute=formulas.ttfb_ms,
            example=139.9,
            distributed=True,
            sortable=True,
        ),
        Metric(
            name="ttft_ms",
            unit="ms",
            definition="Time to first token: from `sent_at` to the first event with content, reasoning or "
            "tool-call text. Events without text (roles, pings, usage) do not count",
            null_when=_NO_EVENT,
            source="timeline",
            compute=formulas.ttft_ms,
            example=142.5,
            distributed=True,
            sortable=True,
            row="TTFT (ms)",
            column="TTFT ms",
        ),
        Metric(
            name="network_rtt_ms",
            unit="ms",
            definition="Round trip of the network to the other end of the connection, as the kernel measured it by the "
            "end of the request: the smallest of the last minutes. A TTFT includes at least one. If a proxy or a load "
            "balancer stands before the server, it is the round trip to that",
            null_when="the kernel does not tell, the transport is the SDK's, or an older version or a resumed run did "
            "not measure it",
            source="run",
            distributed=True,
            row="Network RTT (ms)",
        ),
        Metric(
            name="ttfat_ms",
            unit="ms",
            definition="Time to first answer token: from `sent_at` to the first event with content or tool-call "
            "text. Reasoning does not count",
            null_when=_NO_EVENT,
            source="timeline",
            compute=formulas.ttfat_ms,
            example=142.5,
            distributed=True,
            sortable=True,
            row="TTFT of answer (ms)",
        ),
        Metric(
            name="latency_ms",
            unit="ms",
            definition="From `sent_at` to the last event with content, reasoning or tool-call text",
            null_when=_NO_EVENT,
            source="timeline",
            compute=formulas.latency_ms,
            example=823.4,
            distributed=True,
            sortable=True,
            row="Latency (ms)",
            column="latency ms",
        ),
        Metric(
            name="effective_latency_ms",
            unit="ms",
            definition="`queue_ms + latency_ms`: from `scheduled_at` to the last event with content, reasoning "
            "or tool-call text. If the server stalls, it includes the time that requests waited to "
            "be sent. Only in an open loop (`request_rate`)",
            null_when="the loop is closed",
            source="run",
            distributed=True,
            row="Effective latency (ms)",
        ),
        Metric(
            name="stream_close_ms",
            unit="ms",
            definition="From `sent_at` to the end of the response",
            null_when="the response was cut off",
            source="timeline",
            compute=formulas.stream_close_ms,
            example=824.0,
            distributed=True,
            sortable=True,
        ),
        Metric(
            name="tpot_ms",
            unit="ms/token",
            definition="Time per output token after the first event: `latency_ms - ttft_ms`, divided by the tokens "
            "after the first event. These are the visible tokens less 1, or fewer if the stream says that its first "
            "event held several. Hidden reasoning is taken out",
            null_when=_TOKENS_UNKNOWN,
            source="timeline",
            compute=formulas.tpot_ms,
            example=25.9,
            distributed=True,
            sortable=True,
            row="TPOT (ms/token)",
        ),
        Metric(
            name="tokens_per_second",
            unit="tokens/s",
            definition="Generation speed after the first token: `output_tokens / (latency_ms - ttft_ms) * 1000`, over "
            "visible tokens: hidden reasoning is taken out",
            null_when=_TOKENS_UNKNOWN,
            source="timeline",
            compute=formulas.tokens_per_second,
            example=48.2,
            distributed=True,
            sortable=True,
            row="Tokens/s",
            column="tokens/s",
        ),
        Metric(
            name="max_stall_ms",
            unit="ms",
            definition="Longest gap between two successive events with content, reasoning or tool-call text",
            null_when="there were fewer than two such events",
            source="timeline",
            compute=formulas.max_stall_ms,
            example=41.3,
            distributed=True,
            sortable=True,
        ),
        Metric(
            name="inter_chunk_latency_ms",
            unit="ms",
            definition="Gaps between successive events with content, reasoning or tool-call text, pooled over "
            "all requests. One event may carry several tokens",
            null_when="the gaps of some requests are unknown, because timelines were not stored",
            source="run",
            distributed=True,
            row="Inter-chunk (ms)",
        ),
        Metric(
            name="input_tokens",
            unit="tokens",
            definition="Input tokens, from the provider's usage. Anthropic leaves cached tokens out, OpenAI "
            "includes them",
            null_when=_NOT_REPORTED,
            source="usage",
            example=18,
            sortable=True,
            column="in",
        ),
        Metric(
            name="total_input_tokens",
            unit="tokens",
            definition="All input tokens, counted in the same way for every provider: uncached ones, those read from a "
            "cache, and those written to one",
            null_when=_NOT_REPORTED,
            source="usage",
            example=18,
            sortable=True,
        ),
        Metric(
            name="output_tokens",
            unit="tokens",
            definition="Output tokens, from the provider's usage. Reasoning is included",
            null_when=_NOT_REPORTED,
            source="usage",
            example=5,
            sortable=True,
            column="out",
        ),
        Metric(
            name="reasoning_tokens",
            unit="tokens",
            definition="Reasoning tokens, from the provider's usage",
            null_when=_NOT_REPORTED,
            source="usage",
            sortable=True,
        ),
        Metric(
            name="cache_read_tokens",
            unit="tokens",
            definition="Tokens read from the prompt cache, from the provider's usage",
            null_when=_NOT_REPORTED,
            source="usage",
            example=0,
        ),
        Metric(
            name="cache_write_tokens",
            unit="tokens",
            definition="Tokens written to the prompt cache, from the provider's usage",
            null_when=_NOT_REPORTED,
            source="usage",
            example=0,
        ),
        Metric(
            name="cache_write_1h_tokens",
            unit="tokens",
            definition="The part of `cache_write_tokens` that the cache keeps for an hour. It has a price of its own",
            null_when=_NOT_REPORTED,
            source="usage",
        ),
        Metric(
            name="cost_usd",
            unit="USD",
            definition="Tokens of each class (input, cache read, cache write for minutes or an hour, output) times "
            "the price of the model and service tier that were served, as it was when the run started. The prices "
            "are stored with the run",
            null_when="what was served has no known price or the usage is unknown; an unknown cost is never 0",
            source="price",
            example=0.000011,
            sortable=True,
            column="cost",
        ),
        Metric(
            name="provider_cost_usd",
            unit="USD",
            definition="The provider's own statement of what the request cost. It is stored beside `cost_usd`, which "
            "does not depend on it",
            null_when="the provider stated no cost",
            source="answer",
            sortable=True,
        ),
    )
}

# All fields of a result that have a definition.
DEFINITIONS: dict[str, Definition] = {**METRICS, **FIELDS}


def _names(metrics: Iterable[Metric]) -> tuple[str, ...]:
    return tuple(metric.name for metric in metrics)


# Metrics whose values a result stores, each in a column of its name.
STORED = _names(metric for metric in METRICS.values() if metric.stored)
# Those that the record of a request carries in `metrics`.
MEASURED = _names(metric for metric in METRICS.values() if metric.source in ("timeline", "engine"))
# Token counts that a provider reports.
REPORTED = _names(metric for metric in METRICS.values() if metric.source == "usage")
# Metrics of a request that the summary gives a distribution for; those with a row in the terminal come first.
DISTRIBUTED = _names(
    sorted(
        (metric for metric in METRICS.values() if metric.distributed and metric.stored),
        key=lambda metric: metric.row is None,
    )
)

_COMPUTED = tuple((metric.name, metric.compute) for metric in METRICS.values() if metric.compute is not None)


def compute(facts: RequestFacts) -> dict[str, float | None]:
    """The metrics of a request that follow from its timeline, by name."""
    return {name: function(facts) for name, function in _COMPUTED}
