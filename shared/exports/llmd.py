"""The summary of a benchmark as llm-d's benchmark report 0.2, with the fields and units that inference-perf writes.

What the report has no measured value for is left out. Inter-chunk latency is: the report wants it between tokens, and a
chunk may have several. Source: the report's schema in https://github.com/llm-d/llm-d-benchmark
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import yaml

from shared.benchmark.metadata import metadata_pairs
from shared.benchmark.results.mean_tokens import mean_tokens
from shared.benchmark.results.outcome import CUT_OFF, FAILURES
from shared.exports.cells import instant_text
from shared.exports.document import portable_spec
from shared.version import __version__

VERSION = "0.2"
_PERCENTILES = ("p50", "p90", "p95", "p99")
# The report's latencies: our metric, its unit, and how many of ours are one of that.
_LATENCIES = {
    "time_to_first_token": ("ttft_ms", "s"),
    "time_per_output_token": ("tpot_ms", "s/token"),
    # To the end of the response, as inference-perf measures it.
    "request_latency": ("stream_close_ms", "s"),
}
_MS_PER_S = 1_000
_RATES = {
    "input_token_rate": ("input_token_throughput", "tokens/s"),
    "output_token_rate": ("output_token_throughput", "tokens/s"),
    "total_token_rate": ("total_token_throughput", "tokens/s"),
    "request_rate": ("request_throughput", "queries/s"),
}
# Workloads whose tokens are drawn at random; the others are samples of texts.
_RANDOM = ("generated", "trace")

Json = dict[str, Any]


def report_yaml(benchmark: Any) -> bytes:
    """The report of a benchmark's row that has a summary."""
    text: str = yaml.safe_dump(report(benchmark), sort_keys=False, allow_unicode=True, width=120)
    return text.encode()


def report(benchmark: Any) -> Json:
    """The same as an object."""
    summary: Json = benchmark.summary
    spec = portable_spec(benchmark.spec_document)
    return {
        "version": VERSION,
        "run": _run(benchmark, spec),
        "scenario": {
            "load": {
                "metadata": {"cfg_id": hashlib.sha256(_dumped(spec)).hexdigest()[:32], "description": benchmark.name},
                "standardized": _load(summary, spec),
                "native": {"config": {**spec, "provider": benchmark.provider}},
            }
        },
        "results": {"request_performance": {"aggregate": _aggregate(summary)}},
    }


def _run(benchmark: Any, spec: Json) -> Json:
    # The same report each time, and another one for a benchmark of another server.
    uid = uuid.uuid5(uuid.NAMESPACE_OID, f"llmbench {instant_text(benchmark.created_at)} {_dumped(spec).decode()}")
    run: Json = {"uid": uid.hex, "time": _time(benchmark.started_at, benchmark.completed_at)}
    run["description"] = benchmark.name
    if pairs := metadata_pairs(spec.get("metadata") or {}):
        run["keywords"] = pairs
    return run


def _time(start: datetime | None, end: datetime | None) -> Json | None:
    if start is None or end is None:
        return None
    return {
        "start": instant_text(start),
        "end": instant_text(end),
        "duration": f"PT{(end - start).total_seconds():.6f}S",
    }


def _load(summary: Json, spec: Json) -> Json:
    source = (spec.get("workload") or {}).get("source", "prompts")
    load: Json = {
        "tool": "llmbench",
        "tool_version": __version__,
        "parallelism": 1,
        "source": "random" if source in _RANDOM else "sampled",
        "stage": 0,
        "input_seq_len": _length(summary, "total_input_tokens") or {"distribution": "other", "value": 0},
        "output_seq_len": _length(summary, "output_tokens"),
        "rate_qps": (summary.get("request_rate") or {}).get("requested"),
        "concurrency": summary["concurrency"]["requested"],
    }
    return _known(load)


def _length(summary: Json, tokens: str) -> Json | None:
    mean = _mean_tokens(summary, tokens)
    return None if mean is None else {"distribution": "other", "value": mean}


def _mean_tokens(summary: Json, name: str) -> float | None:
    """Tokens of a request on average. Unknown if some failed: the report wants those of whole answers."""
    others = any(summary["requests"].get(outcome) for outcome in (*FAILURES, *CUT_OFF))
    return None if others else mean_tokens(summary, name)


def _aggregate(summary: Json) -> Json:
    requests = summary["requests"]
    failures = sum(requests.get(outcome) or 0 for outcome in FAILURES)
    incomplete = sum(requests.get(outcome) or 0 for outcome in CUT_OFF)
    latency = {name: _statistics(summary.get(metric), unit) for name, (metric, unit) in _LATENCIES.items()}
    throughput = {
        name: None if summary.get(rate) is None else {"units": unit, "mean": summary[rate]}
        for name, (rate, unit) in _RATES.items()
    }
    return {
        "requests": _known(
            {
                "total": requests["succeeded"] + failures + incomplete,
                "failures": failures,
                "incomplete": incomplete,
                "input_length": _count(_mean_tokens(summary, "total_input_tokens")),
                "output_length": _count(_mean_tokens(summary, "output_tokens")),
            }
        ),
        "latency": _known(latency),
        "throughput": _known(throughput),
    }


def _count(mean: float | None) -> Json | None:
    return None if mean is None else {"units": "count", "mean": mean}


def _statistics(distribution: Mapping[str, Any] | None, unit: str) -> Json | None:
    """A distribution in milliseconds as statistics in seconds."""
    if not distribution or distribution.get("mean") is None:
        return None
    names = {"mean": "mean", "stdev": "stddev", "min": "min", "max": "max", **{name: name for name in _PERCENTILES}}
    values = {
        shown: distribution[name] / _MS_PER_S for name, shown in names.items() if distribution.get(name) is not None
    }
    return {"units": unit, **values}


def _known(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _dumped(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
