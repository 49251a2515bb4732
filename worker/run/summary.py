"""Makes the summary of a run, as JSON, from the aggregate of its results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shared.benchmark.aggregate import RunAggregate, plus
from shared.benchmark.flags import FLAGS
from shared.benchmark.outcome import OUTCOMES
from shared.benchmark.plan import Stage
from shared.benchmark.record import CACHE_HIT_SHARE
from shared.numbers.digest import Digest
from shared.numbers.metrics import DISTRIBUTED


@dataclass(frozen=True, slots=True)
class Plan:
    """What a summary says beside the results.

    `sent_in_vain`: how many requests earlier segments may have sent without storing their answers.
    `equal_prompts`: see `Workload.equal_prompts`.
    """

    requests: int
    concurrency: int
    request_rate: float | None
    interrupted: bool
    sent_in_vain: int
    equal_prompts: Mapping[int, int] = field(default_factory=dict)
    # What may have filled a prompt cache: each prompt was measured so often, or warm-up sent the measured prompts.
    repetitions: int = 1
    warmup_is_measured: bool = False


def summarize(results: RunAggregate, plan: Plan) -> dict[str, Any]:
    """Counts, distributions, throughput, tokens, cost, and how far the measuring may have distorted them."""
    sent_in_vain = plan.sent_in_vain + results.renewed
    cached_share = results.cached_tokens / results.cacheable_tokens if results.cacheable_tokens else None

    def of_requests(values: Digest) -> dict[str, Any]:
        return values.distribution(independent=not results.repeats and not plan.equal_prompts, same=plan.equal_prompts)

    active_s = results.activity.busy_s if plan.interrupted else results.activity.duration_s
    document: dict[str, Any] = {
        "requests": {
            "planned": plan.requests or None,
            "warmup": results.warmup,
            **{name: results.outcomes[name] for name in OUTCOMES},
        },
        "error_kinds": dict(sorted(results.error_kinds.items())),
        "flags": dict(sorted(results.flags.items())),
        "finish_reasons": dict(sorted(results.finish_reasons.items())),
        "conformance": _conformance(results),
        **{name: of_requests(results.metrics[name]) for name in DISTRIBUTED},
        "effective_latency_ms": None if plan.request_rate is None else of_requests(results.effective_ms),
        # The gaps of one stream depend on each other.
        "inter_chunk_latency_ms": None if results.without_events else results.gaps_ms.distribution(independent=False),
        "error_latency_ms": of_requests(results.error_ms),
        "duration_s": active_s,
        "request_throughput": results.succeeded / active_s if active_s else None,
        "output_token_throughput": results.generated_tokens / active_s
        if active_s and results.generated_tokens
        else None,
        "steady_window": _steady_window(results, plan),
        "concurrency": {"requested": plan.concurrency, "peak": results.activity.peak},
        "request_rate": _rate(results, plan),
        "tokens": dict(results.counts),
        "cached_share": cached_share,
        "notices": _notices(cached_share, plan),
        "served": {
            "models": dict(sorted(results.served_models.items())),
            "service_tiers": dict(sorted(results.service_tiers.items())),
        },
        "cost": _cost(results),
        "possible_duplicates": {
            "requests": sent_in_vain,
            "cost_usd": _text(results.duplicates_cost_usd),
            "unpriced_requests": sent_in_vain - results.duplicates_priced,
        },
        "interrupted": plan.interrupted,
    }
    if results.disturbance is not None:
        measurement = results.disturbance.document(results.verdicts)
        # Without a succeeded request there are no numbers that the grade could be about.
        document["measurement"] = measurement if measurement["grade"] and results.succeeded else None
    return document


def summary_of_stage(stage: Stage, results: RunAggregate) -> dict[str, Any]:
    """The same for one stage of a run."""
    pace = stage.measured.pace
    plan = Plan(
        requests=results.count,
        concurrency=pace.max_in_flight,
        request_rate=pace.rate,
        interrupted=False,
        sent_in_vain=0,
    )
    return summarize(results, plan)


def _notices(cached_share: float | None, plan: Plan) -> list[str]:
    """What a reader must know before the numbers."""
    if cached_share is None or cached_share < CACHE_HIT_SHARE:
        return []
    causes = []
    if plan.repetitions > 1:
        causes.append("repetitions of the same prompt")
    if plan.warmup_is_measured:
        causes.append("warm-up requests with the same prompts")
    filled_by = " or ".join(causes) or "an earlier run, or a beginning that the prompts share"
    share = f"{cached_share:.0%} of the input tokens were read from a prompt cache"
    return [f"{share}: TTFT and latency are those of cache hits. The cache may have been filled by {filled_by}."]


def _conformance(results: RunAggregate) -> list[dict[str, Any]]:
    """The oddities of the provider's streams, the most frequent first."""
    found = [(FLAGS[name], count) for name, count in results.flags.items() if name in FLAGS and FLAGS[name].oddity]
    return [
        {"finding": flag.name, "requests": count, "meaning": flag.meaning, "effect": flag.effect}
        for flag, count in sorted(found, key=lambda item: (-item[1], item[0].name))
    ]


def _steady_window(results: RunAggregate, plan: Plan) -> Mapping[str, Any] | None:
    """From the end of the first wave until fewer requests are in flight than the concurrency; None if never steady.

    None for an open loop, which has no target concurrency.
    """
    window = results.activity.steady_window
    if plan.interrupted or plan.request_rate is not None or window is None:
        return None
    seconds = (window.end_us - window.begin_us) / 1e6
    tokens = results.tokens.within(*window)
    return {
        "duration_s": seconds,
        "request_throughput": results.activity.succeeded.within(*window) / seconds,
        "output_token_throughput": tokens / seconds if tokens and not results.without_events else None,
    }


def _rate(results: RunAggregate, plan: Plan) -> dict[str, Any] | None:
    """For an open loop: the requested rate, and the requests sent per second between the first and the last."""
    if plan.request_rate is None:
        return None
    activity, achieved = results.activity, None
    if activity.first_sent_us is not None and activity.last_sent_us is not None and not plan.interrupted:
        seconds = (activity.last_sent_us - activity.first_sent_us) / 1e6
        achieved = (activity.sent.total - 1) / seconds if seconds else None
    return {"requested": plan.request_rate, "achieved": achieved}


def _cost(results: RunAggregate) -> dict[str, Any]:
    per_succeeded = None
    if results.cost_usd is not None and results.succeeded:
        per_succeeded = (results.cost_usd / results.succeeded).quantize(Decimal("1e-12"))
    return {
        "total_usd": _text(plus(results.cost_usd, results.warmup_cost_usd)),
        "measured_usd": _text(results.cost_usd),
        "warmup_usd": _text(results.warmup_cost_usd),
        "per_succeeded_usd": _text(per_succeeded),
        "unpriced_requests": results.unpriced,
        "provider_usd": _text(results.provider_cost_usd),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
