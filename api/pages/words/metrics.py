"""Labels, units and definitions of metrics, from their registry."""

from shared.numbers.metrics import DEFINITIONS, METRICS

FILTERS = ("label", "unit", "definition")

# Where the name in plain words is not the field's own.
_LABELS = {
    "ttft_ms": "TTFT",
    "ttfat_ms": "Time to first answer token",
    "ttfb_ms": "Time to first byte",
    "tpot_ms": "Time per output token",
    "latency_ms": "Latency",
    "tokens_per_second": "Tokens/s",
    "queue_ms": "Queue",
    "connect_ms": "Connect",
    "tls_ms": "TLS",
    "max_stall_ms": "Longest stall",
    "inter_chunk_latency_ms": "Inter-chunk latency",
    "stream_close_ms": "Stream close",
    "cost_usd": "Cost",
}


def label(name: str) -> str:
    """`TTFT` for `ttft_ms`; other names without their unit and with spaces."""
    if name in _LABELS:
        return _LABELS[name]
    words = name.removesuffix("_ms").removesuffix("_usd").replace("_", " ")
    return words[:1].upper() + words[1:]


def unit(name: str) -> str:
    """`ms`; empty for what the registry does not know."""
    return METRICS[name].unit if name in METRICS else ""


def definition(name: str) -> str:
    """What the number means, with its unit and when it is unknown; empty for what the registry does not know.

    Without the backticks of the reference, which a page would show as they are.
    """
    return DEFINITIONS[name].text.replace("`", "") if name in DEFINITIONS else ""
