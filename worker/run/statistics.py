"""Makes the statistics of an aggregate, as JSON: for the summary of a run and for each of its stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.benchmark.results.activity import SteadyWindow
from shared.benchmark.results.aggregate import LATE_MS, RunAggregate
from shared.benchmark.results.costs import text
from shared.benchmark.results.flags import FLAGS
from shared.benchmark.results.outcome import OUTCOMES
from shared.benchmark.results.record import CACHE_HIT_SHARE
from shared.benchmark.results.turns import BY_TURN, LATER
from shared.benchmark.slo.slo_spec import SloSpec
from shared.numbers.digest import Digest
from shared.numbers.metrics import DISTRIBUTED
from shared.numbers.percentiles import MIN_COUNT
from worker.run.windows import steady_window

# A rate is reached if no larger share of it is missing.
REACHED_WITHIN = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """What a summary says beside the results, of a run or a stage.

    `requests`: None if the number was not known beforehand. `request_rate`: the requested rate of an open loop; of one
    whose rate changes, the mean. `sent_in_vain`: how many requests earlier segments may have sent without storing
    their answers. `equal_prompts`: see `Workload.equal_prompts`.
    """

    requests: int | None
    concurrency: int
    request_rate: float | None
    interrupted: bool
    sent_in_vain: int
    equal_prompts: Mapping[int, int] = field(default_factory=dict)
    # What may have filled a prompt cache: prompts were measured so often, or warm-up sent the measured prompts.
    repetitions: int = 1
    warmup_is_measured: bool = False
    slos: SloSpec | None = None
    # The load rises for this long, and the steady window begins after it. None: the load never stays the same.
    ramp_s: float | None = 0


def statistics(results: RunAggregate, plan: Plan) -> dict[str, Any]:
    """Counts, distributions, throughput, goodput, tokens and cost."""
    cached_share = results.cached_tokens / results.cacheable_tokens if results.cacheable_tokens else None

    def of_requests(values: Digest) -> dict[str, Any]:
        return values.distribution(independent=not results.repeats and not plan.equal_prompts, same=plan.equal_prompts)

    seconds = results.activity.active_s if plan.interrupted else results.activity.duration_s
    is_open = plan.request_rate is not None
    return {
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
        "effective_latency_ms": of_requests(results.effective_ms) if is_open else None,
        # The gaps of one stream depend on each other.
        "inter_chunk_latency_ms": None if results.without_events else results.gaps_ms.distribution(independent=False),
        "network_rtt_ms": _network(results),
        "error_latency_ms": of_requests(results.error_ms),
        "failure_adjusted": _failure_adjusted(results, is_open=is_open),
        "turns": _turns(results, plan),
        "duration_s": seconds,
        **_throughput(results, seconds),
        "steady_window": steady_window(
            results, _window(results, plan), independent=not results.repeats, same=plan.equal_prompts
        ),
        "slo": _slo(results, plan.slos, seconds),
        "concurrency": {
            "requested": plan.concurrency,
            "peak": results.activity.peak,
            "mean": _mean_concurrency(results, plan),
        },
        "request_rate": _rate(results, plan, of_requests(results.lateness_ms)) if is_open else None,
        "tokens": dict(results.counts),
        "tokens_reported": None
        if results.reported is None
        else {name: results.reported[name] for name in results.counts},
        "cached_share": cached_share,
        "notices": _notices(cached_share, plan),
        "served": {
            "models": dict(sorted(results.served_models.items())),
            "service_tiers": dict(sorted(results.service_tiers.items())),
        },
        "cost": _cost(results),
    }


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


def _throughput(results: RunAggregate, seconds: float | None) -> dict[str, Any]:
    """Requests and tokens of succeeded requests, per second. None if they or the time are unknown."""

    def per_second(count: int) -> float | None:
        return count / seconds if seconds and count else None

    read, written = results.prompt_tokens.total, results.generated_tokens
    return {
        "request_throughput": results.succeeded / seconds if seconds else None,
        "input_token_throughput": per_second(read),
        "output_token_throughput": per_second(written),
        "total_token_throughput": per_second(read + written) if read and written else None,
    }


def _window(results: RunAggregate, plan: Plan) -> SteadyWindow | None:
    """The steady part. An interrupted run has none, because nothing was in flight for a part of it."""
    if plan.interrupted or plan.ramp_s is None:
        return None
    ramp_us = round(plan.ramp_s * 1e6)
    if plan.request_rate is None:
        return results.activity.closed_window(ramp_us)
    return results.activity.open_window(ramp_us)


def _mean_concurrency(results: RunAggregate, plan: Plan) -> float | None:
    """Over the time that `duration_s` counts."""
    mean, duration_s = results.activity.mean, results.activity.duration_s
    if mean is None or duration_s is None or not plan.interrupted:
        return mean
    active_s = results.activity.active_s
    return mean * duration_s / active_s if active_s else None


def _slo(results: RunAggregate, slos: SloSpec | None, seconds: float | None) -> dict[str, Any] | None:
    """How many requests met all SLOs, and how many did so per second. None without SLOs."""
    if slos is None:
        return None
    counts, attainment = results.slo, results.slo.attainment
    return {
        "bounds": slos.bounds,
        "target": slos.attainment,
        "attempted": counts.attempted,
        "met": counts.met,
        "missed": counts.missed,
        "undetermined": counts.undetermined,
        "attainment": attainment,
        "attained": None if attainment is None else attainment >= slos.attainment,
        "by_slo": {name: {"missed": counts.broken[name], "undetermined": counts.unknown[name]} for name in slos.bounds},
        "goodput": counts.met / seconds if seconds else None,
        "output_token_goodput": counts.good_output_tokens / seconds if seconds and results.generated_tokens else None,
    }


def _failure_adjusted(results: RunAggregate, *, is_open: bool) -> dict[str, Any]:
    """Percentiles in which a failed request counts as infinitely slow."""
    failed = results.failed
    values = {"ttft_ms": results.metrics["ttft_ms"], "latency_ms": results.metrics["latency_ms"]}
    if is_open:
        values["effective_latency_ms"] = results.effective_ms
    found: dict[str, Any] = {"failed": failed, "effective_latency_ms": None}
    for name, digest in values.items():
        supported = [percent for percent, needed in MIN_COUNT.items() if digest.count + failed >= needed]
        found[name] = {
            f"p{percent}": digest.percentile_with(failed, percent) if percent in supported else None
            for percent in MIN_COUNT
        }
        infinite = [f"P{percent}" for percent in supported if found[name][f"p{percent}"] is None]
        share = failed / (digest.count + failed) if infinite else 0
        found[name]["reason"] = (
            f"{share:.1%} of the attempted requests failed, and a failed request counts as infinitely slow: "
            f"{', '.join(infinite)} would be infinite"
            if infinite and failed
            else None
        )
    return found


def _turns(results: RunAggregate, plan: Plan) -> dict[str, Any] | None:
    """By turn of the conversation, from 0. None if no request is a later turn."""
    if not results.turns.digests:
        return None

    def of_turn(turn: int, values: Digest) -> dict[str, Any]:
        # From LATER on, several turns of a conversation are counted together.
        independent = turn < LATER and not results.repeats_turns and not plan.equal_prompts
        return values.distribution(independent=independent, same=plan.equal_prompts)

    return {
        f"{turn}+" if turn == LATER else f"{turn}": {name: of_turn(turn, digests[name]) for name in BY_TURN}
        for turn, digests in sorted(results.turns.digests.items())
    }


def _network(results: RunAggregate) -> dict[str, Any] | None:
    """Round trips of the network. Those of one connection depend on each other, so there is no interval."""
    return results.network_rtt_ms.distribution(independent=False) if results.network_rtt_ms.count else None


def _rate(results: RunAggregate, plan: Plan, lateness_ms: dict[str, Any]) -> dict[str, Any]:
    """Of an open loop: the requested rate, those of the schedule and of the sends, how late, and what limited them."""
    activity, achieved, due = results.activity, None, None
    if not plan.interrupted:
        achieved = _per_second(*activity.sends)
        due = _per_second(results.outcomes.total(), activity.first_due_us, activity.last_due_us)
    return {
        "requested": plan.request_rate,
        "due": due,
        "achieved": achieved,
        "limited_by": _limited_by(results, achieved, due),
        "lateness_ms": lateness_ms,
        "late": results.late,
        "late_after_ms": LATE_MS,
        "dropped": results.outcomes["dropped"],
    }


def _per_second(count: int, first_us: int | None, last_us: int | None) -> float | None:
    """The rate of events of which these were the first and the last. None if no time passed."""
    if first_us is None or last_us is None or last_us <= first_us:
        return None
    return (count - 1) / (last_us - first_us) * 1e6


def _limited_by(results: RunAggregate, achieved: float | None, due: float | None) -> str | None:
    """Why the rate of the schedule was not reached. None if it was, or if no request says why.

    If requests had used their room without delay, more would have gone out by the share of time that it lay idle.
    """
    dropped = results.outcomes["dropped"]
    is_slower = achieved is not None and due is not None and achieved < due * (1 - REACHED_WITHIN)
    if not is_slower and dropped <= REACHED_WITHIN * results.outcomes.total():
        return None
    idle, busy = results.late_idle_us, results.late_busy_us
    if not idle + busy:
        return "max_concurrency" if dropped else None
    if achieved is None or due is None:
        return "this host" if idle > busy else "max_concurrency"
    without_delay = achieved * (idle + busy) / busy if busy else due
    return "this host" if without_delay >= due * (1 - REACHED_WITHIN) else "max_concurrency"


def _cost(results: RunAggregate) -> dict[str, Any]:
    costs = results.costs
    return {
        "total_usd": text(costs.total_usd),
        "measured_usd": text(costs.measured_usd),
        "warmup_usd": text(costs.warmup_usd),
        "per_succeeded_usd": text(costs.per_succeeded_usd),
        "priced_succeeded": costs.priced_succeeded,
        "unpriced_requests": costs.unpriced,
        "unpriced_warmup": costs.unpriced_warmup,
        "provider_usd": text(costs.provider_usd),
    }
