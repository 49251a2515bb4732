"""What a run carried: throughput, goodput, rate, concurrency, turns, and percentiles with the failures in them."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.numbers import UNKNOWN, count, milliseconds, rate
from cli.render.pairs import pair
from cli.terminal.output import BAD, GOOD, QUIET, Line

_TOKENS = ("input", "output", "total")
_PERCENTILES = ("p50", "p90", "p95", "p99")


def throughput_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Over the whole run, and in its steady part."""
    yield pair("Throughput", f"{_throughput(summary)} over the whole run")
    if steady := summary["steady_window"]:
        text = f"{_throughput(steady)}, without ramp-up and tail ({steady['duration_s']:.2f} s)"
        if steady.get("mean_concurrency") is not None:
            text += f", {rate(steady['mean_concurrency'])} in flight on average"
        yield pair("  steady", text)
        if times := _steady_times(steady):
            yield pair("", times)


def slo_lines(summary: Mapping[str, Any], *, several: bool = False) -> Iterator[Line]:
    """How many requests met the SLOs, and which SLOs the others missed.

    `several`: stages, each with a goodput of its own.
    """
    slo = summary.get("slo")
    if not slo or not slo["attempted"]:
        return
    tokens = "" if slo["output_token_goodput"] is None else f", {rate(slo['output_token_goodput'])} output tokens/s"
    steady = summary["steady_window"] or {}
    inside = "" if steady.get("goodput") is None else f"; {rate(steady['goodput'])} requests/s in the steady part"
    if not several:
        yield pair("Goodput", f"{rate(slo['goodput'])} requests/s{tokens}{inside}")
    share = f"{slo['met']:,} of {slo['attempted']:,} met all SLOs: {slo['attainment']:.1%}, {slo['target']:.1%} wanted"
    undetermined = f"; {slo['undetermined']:,} undetermined" if slo["undetermined"] else ""
    yield pair("SLOs", share + undetermined, GOOD if slo["attained"] else BAD)
    for name, bound in slo["bounds"].items():
        kept = slo["by_slo"][name]
        sign = "≥" if name == "tokens_per_second" else "≤"
        unknown = f", {kept['undetermined']:,} without this number" if kept["undetermined"] else ""
        yield pair("", f"{name} {sign} {bound:g}: {kept['missed']:,} missed{unknown}")


def failure_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Percentiles in which failed requests count as infinitely slow. Nothing if none failed."""
    adjusted = summary.get("failure_adjusted")
    if not adjusted or not adjusted["failed"]:
        return
    yield Line("With failed requests counted as infinitely slow:")
    for title, name in (("  TTFT", "ttft_ms"), ("  latency", "latency_ms"), ("  effective", "effective_latency_ms")):
        if spread := adjusted[name]:
            yield pair(title, ", ".join(f"{milliseconds(spread[item])} ms ({item})" for item in _PERCENTILES))
    if reason := adjusted["ttft_ms"]["reason"]:
        yield Line(f"{UNKNOWN} {reason}", QUIET, 2)


_LIMITS = {
    "max_concurrency": "max_concurrency: requests waited for room, so the server is too slow for so few streams",
    "this host": "this host: requests were sent late although there was room for them",
}


def rate_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Of an open loop: the requested and the sent rate, and how late requests were sent."""
    rates = summary.get("request_rate")
    if not rates:
        return
    yield pair("Rate", f"{rate(rates['requested'])} requests/s requested, {rate(rates['achieved'])} sent")
    if limit := rates.get("limited_by"):
        yield pair("  limited by", _LIMITS[limit], BAD)
    late = rates.get("lateness_ms")
    if late and late["count"]:
        text = f"{milliseconds(late['p50'])} ms (p50), {milliseconds(late['max'])} ms at most after the due time"
        if rates["late"]:
            text += f"; {rates['late']:,} more than {rates['late_after_ms']:g} ms late"
        yield pair("  lateness", text)


def concurrency_line(benchmark: Mapping[str, Any], *, several: bool = False) -> Line:
    """The most requests at a time, beside the concurrency: a target in a closed loop, a bound in an open one.

    `several`: stages, each with a concurrency of its own.
    """
    found = benchmark["summary"]["concurrency"]
    if several:
        return pair("Concurrency", f"{found['peak']:,} at the peak")
    mean = "" if found.get("mean") is None else f"{rate(found['mean'])} on average, "
    if _is_open(benchmark):
        return pair("Concurrency", f"{mean}{found['peak']:,} at the peak, at most {found['requested']:,} allowed")
    return pair("Concurrency", f"{found['requested']:,} requested, {mean}{found['peak']:,} at the peak")


def _is_open(benchmark: Mapping[str, Any]) -> bool:
    """Whether requests were due at times of their own, so that nobody asked for a concurrency."""
    load, workload = benchmark.get("load"), benchmark.get("workload") or {}
    if load is not None:
        return load.get("concurrency") is None
    return benchmark["request_rate"] is not None or workload.get("source") == "trace"


def turn_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """TTFT and latency by turn of the conversations."""
    for turn, found in (summary.get("turns") or {}).items():
        ttft, latency = milliseconds(found["ttft_ms"]["p50"]), milliseconds(found["latency_ms"]["p50"])
        number = count(found["latency_ms"]["count"])
        yield pair(f"Turn {turn}", f"TTFT {ttft} ms, latency {latency} ms (p50) over {number} requests")


def _throughput(found: Mapping[str, Any]) -> str:
    known = [name for name in _TOKENS if name == "output" or found.get(f"{name}_token_throughput") is not None]
    tokens = ", ".join(f"{rate(found[f'{name}_token_throughput'])} {name}" for name in known)
    return f"{rate(found['request_throughput'])} requests/s, {tokens} tokens/s"


def _steady_times(steady: Mapping[str, Any]) -> str:
    shown = []
    for title, name in (("TTFT", "ttft_ms"), ("latency", "latency_ms"), ("TPOT", "tpot_ms")):
        spread = steady.get(name)
        if spread and spread["count"]:
            shown.append(f"{title} {milliseconds(spread['p50'])} ms (p50), {milliseconds(spread['p95'])} ms (p95)")
    share = steady.get("sampled_share")
    if shown and share is not None and share < 1:
        shown.append(f"from a sample of {share:.1%} of the requests")
    return "; ".join(shown)
