"""A benchmark as lines: warnings first, then distributions, counts, throughput, tokens, cost and grade."""

import json
from collections.abc import Iterator
from typing import Any

from cli.output import Line, clean
from cli.render.answers import answer_lines
from cli.render.distributions import distributions
from cli.render.numbers import UNKNOWN, count, milliseconds, rate, seconds_between, usd
from cli.render.pairs import counts, pair
from shared.benchmark.outcome import OUTCOMES

_STYLES = {"completed": "bold green", "failed": "bold red", "cancelled": "bold yellow"}


def benchmark_lines(benchmark: dict[str, Any], *, explain: bool = False) -> list[Line]:
    """Everything about a benchmark except its single results."""
    lines = [*_head(benchmark), *_warnings(benchmark)]
    summary = benchmark["summary"]
    if summary is None:
        return [*lines, Line(""), *_progress(benchmark)]
    return [*lines, Line(""), *distributions(summary, explain=explain), Line(""), *_totals(benchmark, summary)]


def succeeded_entirely(benchmark: dict[str, Any]) -> bool:
    """Whether the benchmark completed and every measured request succeeded."""
    summary = benchmark["summary"]
    if benchmark["status"] != "completed" or summary is None:
        return False
    requests = summary["requests"]
    return not any(requests[name] for name in OUTCOMES if name != "succeeded")


def notices(benchmark: dict[str, Any]) -> list[str]:
    """Warnings about the benchmark and about its numbers."""
    return [*benchmark["notices"], *(benchmark["summary"] or {}).get("notices", [])]


def _head(benchmark: dict[str, Any]) -> Iterator[Line]:
    yield Line(clean(benchmark["name"]), "bold")
    status = benchmark["status"]
    text = f"{clean(benchmark['model'])} at {clean(benchmark['provider'])}, benchmark {benchmark['id']}: {status}"
    if benchmark["completed_at"] and benchmark["started_at"]:
        text += f" after {seconds_between(benchmark['started_at'], benchmark['completed_at'])} s"
    yield Line(text, _STYLES.get(status, ""))


def _warnings(benchmark: dict[str, Any]) -> Iterator[Line]:
    if benchmark["error"]:
        yield Line(f"! {clean(benchmark['error']['kind'])}: {clean(benchmark['error']['message'])}", "bold red")
    for notice in notices(benchmark):
        yield Line(f"! {clean(notice)}", "bold yellow")
    if benchmark["interrupted"]:
        yield Line("! Another worker continued this run after the first one stopped or died.", "yellow")
    duplicates = (benchmark["summary"] or {}).get("possible_duplicates")
    if duplicates and duplicates["requests"]:
        cost = "of unknown cost" if duplicates["cost_usd"] is None else f"about {usd(duplicates['cost_usd'])}"
        text = f"! Up to {duplicates['requests']:,} requests may have been sent and billed without a stored answer"
        yield Line(f"{text}, {cost}.", "yellow")


def _progress(benchmark: dict[str, Any]) -> Iterator[Line]:
    state = benchmark["progress"]
    yield pair("Requests", f"{state['done']:,} of {state['total']:,} done, {state['errors']:,} errors")
    yield pair("Newest TTFT", f"{milliseconds(state['last_ttft_ms'])} ms")
    yield pair("Cost so far", usd(state["cost_usd"]))


def _totals(benchmark: dict[str, Any], summary: dict[str, Any]) -> Iterator[Line]:
    requests = summary["requests"]
    failed = sum(requests[name] for name in OUTCOMES if name != "succeeded")
    outcomes = ", ".join(
        f"{requests[name]:,} {name.replace('_', ' ')}" for name in OUTCOMES if requests[name] or name == "succeeded"
    )
    warmup = f"; {requests['warmup']:,} warm-up not counted" if requests["warmup"] else ""
    unsent = requests["planned"] - requests["warmup"] - requests["succeeded"] - failed
    rest = f"; {unsent:,} of {requests['planned']:,} were not sent" if unsent > 0 else ""
    yield pair("Requests", f"{outcomes}{rest}{warmup}", "red" if failed else "")
    if summary["error_kinds"]:
        yield pair("Error kinds", counts(summary["error_kinds"]), "red")
    yield from answer_lines(summary, benchmark["model"])
    per_second = rate(summary["request_throughput"])
    tokens_per_second = rate(summary["output_token_throughput"])
    yield pair("Throughput", f"{per_second} requests/s, {tokens_per_second} output tokens/s over the whole run")
    steady = summary["steady_window"]
    if steady:
        yield pair(
            "  steady",
            f"{rate(steady['request_throughput'])} requests/s, {rate(steady['output_token_throughput'])} output "
            f"tokens/s, without ramp-up and tail ({steady['duration_s']:.2f} s)",
        )
    if rates := summary.get("request_rate"):
        yield pair("Rate", f"{rate(rates['requested'])} requests/s requested, {rate(rates['achieved'])} sent")
    concurrency = summary["concurrency"]
    yield pair("Concurrency", f"{concurrency['requested']:,} requested, {concurrency['peak']:,} at the peak")
    yield pair("Tokens", _tokens(summary["tokens"], summary.get("cached_share")))
    yield pair("Cost", _cost(benchmark, summary["cost"]))
    if sent_with := _sent_with(benchmark.get("target") or {}):
        yield pair("Sent with", sent_with)
    if measurement := summary.get("measurement"):
        why = "; ".join(measurement["reasons"]) or "the measuring itself adds less than 1 ms to a TTFT"
        yield pair("Grade", f"{measurement['grade']}: {why}", "" if measurement["grade"] in "AB" else "yellow")
    elif "measurement" in summary:
        yield pair("Grade", "none: no measured request was sent")


def _sent_with(target: dict[str, Any]) -> str:
    """What the endpoint or the benchmark added to the usual request; empty if nothing."""
    parts = [f"{name}={value}" for name, value in target.get("query", {}).items()]
    if target.get("extra_body"):
        parts.append(f"extra_body {json.dumps(target['extra_body'], ensure_ascii=False)}")
    if target.get("service_tier"):
        parts.append(f"service_tier {target['service_tier']}")
    tls = target.get("tls") or {}
    if not tls.get("verify", True):
        parts.append("certificate not verified")
    parts += [f"{name} {tls[name]}" for name in ("ca_file", "client_cert") if tls.get(name)]
    return clean("; ".join(parts))


def _tokens(tokens: dict[str, Any], cached_share: float | None) -> str:
    text = f"{count(tokens['input_tokens'])} in, {count(tokens['output_tokens'])} out"
    for name in ("reasoning", "cache_read", "cache_write"):
        if tokens[f"{name}_tokens"]:
            text += f", {count(tokens[f'{name}_tokens'])} {name.replace('_', ' ')}"
    if cached_share:
        text += f"; {cached_share:.0%} of the input from a cache"
    return text


def _cost(benchmark: dict[str, Any], cost: dict[str, Any]) -> str:
    provider_usd = cost.get("provider_usd")
    stated = "" if provider_usd is None else f"; the provider states {usd(provider_usd)} without warm-up"
    if cost["total_usd"] is None:
        reason = "no price is known for this model" if benchmark["price"] is None else "usage is unknown"
        return f"{UNKNOWN} ({reason}){stated}"
    text = usd(cost["total_usd"])
    if cost["per_succeeded_usd"] is not None:
        text += f", {usd(cost['per_succeeded_usd'])} a request"
    if cost["unpriced_requests"]:
        text += f"; without {cost['unpriced_requests']:,} requests of unknown cost"
    return text + stated
