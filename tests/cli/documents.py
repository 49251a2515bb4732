"""Documents of the API as the fake server gives them. A test holds them against the API's own schemas."""

from typing import Any

from shared.numbers.metrics import METRICS, STORED
from shared.numbers.percentiles import MIN_COUNT

NOTICE = "The simulator answered for claude-3-haiku-20240307: these are not its real latencies, answers or costs."


def spread(*values: float) -> dict[str, Any]:
    """A distribution of a few values, percentiles as the API supports them."""
    count = len(values)
    ordered = sorted(values)
    percentiles = {f"p{percent}": ordered[-1] if count >= needed else None for percent, needed in MIN_COUNT.items()}
    return {
        "count": count,
        "min": min(values, default=None),
        "max": max(values, default=None),
        "mean": sum(values) / count if count else None,
        "stdev": None,
        **percentiles,
        "p50": ordered[count // 2] if count else None,
        "p50_ci95": None,
        "p95_ci95": None,
        "p99_ci95": None,
        "interval_basis": "requests",
    }


def estimate(**changes: Any) -> dict[str, Any]:
    """The estimate of `POST /benchmarks/estimate`."""
    return {
        "requests": 300,
        "warmup_requests": 10,
        "input_tokens": 4_800,
        "output_tokens": {"low": 0, "high": 76_800},
        "duration_s": {"low": 59.8, "high": 660.0},
        "cost_usd": {"low": 0.0012, "high": 0.0972},
        "worst_case_usd": None,
        "budgets": [],
        "tokens_counted_by": "bytes",
        "notes": [],
        **changes,
    }


def summary(succeeded: int = 2, errored: int = 0, **changes: Any) -> dict[str, Any]:
    ttft = spread(*(200.0 + number for number in range(succeeded)))
    return {
        "requests": {
            "planned": succeeded + errored,
            "warmup": 0,
            "succeeded": succeeded,
            "errored": errored,
            "timed_out": 0,
            "cancelled": 0,
            "truncated": 0,
        },
        "error_kinds": {"rate_limited": errored} if errored else {},
        "flags": {},
        **{name: spread(*(1.0 for _ in range(succeeded))) for name in METRICS if METRICS[name].distributed},
        "ttft_ms": ttft,
        "ttfat_ms": ttft,
        "latency_ms": spread(*(500.0 + number for number in range(succeeded))),
        "tpot_ms": spread(*(20.0 for _ in range(succeeded))),
        "tokens_per_second": spread(*(53.3 for _ in range(succeeded))),
        "inter_chunk_latency_ms": spread(*(20.0 for _ in range(succeeded * 15))),
        "max_stall_ms": spread(21.0),
        "ttfb_ms": spread(200.0),
        "stream_close_ms": spread(501.0),
        "queue_ms": spread(1.0),
        "error_latency_ms": spread(),
        "duration_s": 1.0,
        "request_throughput": 2.0,
        "output_token_throughput": 32.0,
        "steady_window": None,
        "concurrency": {"requested": 1, "peak": 1},
        "effective_latency_ms": None,
        "request_rate": None,
        "tokens": {
            "input_tokens": 12,
            "output_tokens": 32,
            "reasoning_tokens": None,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
        },
        "cost": {
            "total_usd": 0.0000428,
            "measured_usd": 0.0000428,
            "warmup_usd": None,
            "per_succeeded_usd": 0.0000214,
            "unpriced_requests": 0,
        },
        "possible_duplicates": {"requests": 0, "cost_usd": None, "unpriced_requests": 0},
        "interrupted": False,
        "finish_reasons": {"end_turn": succeeded},
        "conformance": [],
        "cached_share": 0.0,
        "notices": [],
        "served": {"models": {"claude-3-haiku-20240307": succeeded}, "service_tiers": {"standard": succeeded}},
        **changes,
    }


def benchmark(benchmark_id: int = 1, status: str = "completed", **changes: Any) -> dict[str, Any]:
    """`GET /benchmarks/{id}?include=none`."""
    ended = status in ("completed", "failed", "cancelled")
    return {
        "id": benchmark_id,
        "name": "Haiku Speed Test",
        "model": "claude-3-haiku-20240307",
        "provider": "simulator",
        "endpoint": None,
        "status": status,
        "created_at": "2025-01-15T10:30:00Z",
        "started_at": None if status == "pending" else "2025-01-15T10:30:00Z",
        "completed_at": "2025-01-15T10:30:01.500000Z" if ended else None,
        "stopped": None,
        "waits_for": None,
        "cancel_requested_at": None,
        "progress": {
            "done": 2 if ended else 0,
            "total": 2,
            "errors": 0,
            "last_ttft_ms": 201.0 if ended else None,
            "cost_usd": 0.0000428 if ended else None,
        },
        "error": None,
        "notices": [NOTICE],
        "summary": summary() if ended else None,
        "price": {"source": "genai-prices", "provider": "anthropic", "model": "claude-3-haiku"},
        "interrupted": False,
        "concurrency": 1,
        "rerun_of": None,
        "prompt_set": None,
        "imported": False,
        "on_interrupt": "resume",
        "observe": True,
        "max_duration_s": None,
        "exclusive": False,
        "share_endpoint": False,
        "budget_usd": None,
        "allow_unpriced": False,
        "request_rate": None,
        "load": None,
        "workload": None,
        "arrival": "constant",
        "arrival_seed": 0,
        "repetitions": 1,
        "warmup": 0,
        "warmup_prefix": True,
        "system": None,
        "parameters": {"max_tokens": 1024},
        "extra_body": {},
        "timeouts": {"connect_s": 10.0, "ttft_s": 120.0, "idle_s": 60.0, "total_s": 600.0},
        "metadata": {},
        "results_url": f"/benchmarks/{benchmark_id}/results",
        "slos": None,
        "estimate": None,
        "segments": [],
        "stages": [],
        "target": None,
        "webhook": None,
        "results": None,
        "results_truncated": False,
        **changes,
    }


def stage(number: int = 0, label: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A stage of 30 s that has ended."""
    return {
        "number": number,
        "label": label or {},
        "started_at": f"2025-01-15T10:30:{number * 30 % 60:02}Z",
        "ended_at": f"2025-01-15T10:{30 + (number + 1) // 2}:{(number + 1) * 30 % 60:02}Z",
        "ended_by": "requests",
        "summary": summary(succeeded=20),
        **changes,
    }


def result(prompt_index: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "id": prompt_index + 1,
        "prompt": "Say hello in exactly 3 words",
        "response": "Hello there, friend!",
        **dict.fromkeys(STORED),
        "ttft_ms": 200.5,
        "latency_ms": 500.5,
        "tokens_per_second": 53.3,
        "input_tokens": 7,
        "output_tokens": 16,
        "cost_usd": 0.0000214,
        "error": None,
        "outcome": "succeeded",
        "prompt_index": prompt_index,
        "repetition": 0,
        "stage": None,
        "turn": None,
        "warmup": False,
        "scheduled_at": "2025-01-15T10:30:00Z",
        "sent_at": "2025-01-15T10:30:00Z",
        "queue_ms": 1.0,
        "ended_at": "2025-01-15T10:30:00Z",
        "served_model": None,
        "service_tier": None,
        "system_fingerprint": None,
        "connection_reused": True,
        "ttfb_ms": 200.0,
        "ttfat_ms": 200.5,
        "stream_close_ms": 501.0,
        "tpot_ms": 20.0,
        "max_stall_ms": 21.0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "token_source": "usage",
        "finish_reason": "end_turn",
        "reasoning": None,
        "flags": [],
        "provider_request_id": None,
        "prompt_cut": False,
        "timeline": None,
        **changes,
    }


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "type": "urn:llmbench:problem:test",
        "title": "The request is not valid",
        "status": status,
        "detail": detail,
        "instance": "/benchmarks",
        "code": "test",
        "errors": errors or [],
    }


MODEL = {
    "model": "claude-3-haiku",
    "name": "Claude Haiku 3",
    "provider": "anthropic",
    "aliases": ["claude-3-haiku-20240307", "claude-3-haiku-latest", "haiku-3", "haiku"],
    "endpoint": "anthropic",
    "prices": {"input_usd_per_mtok": 0.25, "output_usd_per_mtok": {"base": 1.25, "tiers": []}},
    "context_window": 200_000,
    "deprecated": False,
}

PROVIDER = {
    "name": "anthropic",
    "protocol": "anthropic",
    "base_url": "https://api.anthropic.com",
    "api_key_env": "ANTHROPIC_API_KEY",
    "ready": False,
    "models": [],
    "price_provider": "anthropic",
    "prices": None,
    "stand_in": False,
}

CALIBRATION = {
    "measured_at": "2026-11-03T10:00:00Z",
    "streams_within_1ms": 16,
    "streams_within_5ms": 64,
    "levels": [
        {
            "concurrency": streams,
            "requests": 3 * streams,
            "event_throughput": 50 * streams,
            "error_p50_ms": 0.012,
            "error_p99_ms": error_p99_ms,
            "doubtful_requests": 0,
            "grade": "A",
        }
        for streams, error_p99_ms in ((1, 0.1), (16, 0.9), (64, 4.5), (256, 11.25))
    ],
}

WORKER = {
    "id": "bench-1-3f0c2a7be911",
    "hostname": "bench-1",
    "pid": 17,
    "version": "0.1.0",
    "alive": True,
    "running": 2,
    "providers": ["anthropic", "simulator"],
    "calibration": CALIBRATION,
    "started_at": "2026-11-03T10:00:30Z",
    "heartbeat_at": "2026-11-03T10:05:30Z",
}
