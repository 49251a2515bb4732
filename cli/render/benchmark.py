"""A benchmark as lines: warnings first, then stages, distributions, counts, throughput, tokens, cost and grade.

Of several stages, only what means something over all of them is shown for the run: no throughput, for example, because
each stage had a load of its own. A run without a succeeded request has no numbers to show: its errors stand in their
place.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.render.answers import answer_lines
from cli.render.conclusion import conclusion_lines
from cli.render.distributions import distributions
from cli.render.errors import commonest_message, error_lines
from cli.render.grade import grade_definition, grade_lines
from cli.render.load import (
    concurrency_line,
    failure_lines,
    rate_lines,
    slo_lines,
    throughput_lines,
    turn_lines,
)
from cli.render.numbers import UNKNOWN, count, milliseconds, seconds_between, usd
from cli.render.observed import observed_lines, probe_lines
from cli.render.pairs import most_first, pair
from cli.render.stages import has_several, stage_lines
from cli.terminal.output import BAD, GOOD, WARNING, Line, clean
from shared.benchmark.results.cost_reading import cost_of_request, total_cost
from shared.benchmark.results.outcome import FAILURES, OUTCOMES

_STYLES = {"completed": GOOD, "failed": BAD, "cancelled": WARNING}


def benchmark_lines(
    benchmark: dict[str, Any], failures: Sequence[Mapping[str, Any]] = (), *, explain: bool = False
) -> list[Line]:
    """Everything about a benchmark except its single results. `failures`: those that did not succeed, or some."""
    lines = [*_head(benchmark), *_warnings(benchmark, failures), Line("")]
    summary = benchmark["summary"]
    if stages := list(stage_lines(benchmark)):
        lines += [*stages, Line("")]
    if summary is None:
        return [*lines, *_progress(benchmark)]
    # The probes of a sweep or a search differ on purpose, so their times together say nothing.
    if summary["requests"]["succeeded"] and not summary.get("search"):
        if has_several(benchmark):
            lines.append(Line("All stages together"))
        lines += [*distributions(summary, explain=explain), Line("")]
    lines += conclusion_lines(benchmark)
    return [*lines, *_totals(benchmark, summary, failures), *(grade_definition() if explain else ())]


def succeeded_entirely(benchmark: dict[str, Any]) -> bool:
    """Whether the benchmark completed and no measured request failed. What its load cut off or dropped did not fail."""
    summary = benchmark["summary"]
    if benchmark["status"] != "completed" or summary is None:
        return False
    requests = summary["requests"]
    return requests["succeeded"] > 0 and not any(requests[name] for name in (*FAILURES, "cancelled"))


def notices(benchmark: dict[str, Any]) -> list[str]:
    """Warnings about the benchmark and about its numbers."""
    return [*benchmark["notices"], *(benchmark["summary"] or {}).get("notices", [])]


def _head(benchmark: dict[str, Any]) -> Iterator[Line]:
    yield Line(clean(benchmark["name"]), "bold", 2)
    status = benchmark["status"]
    text = f"{clean(benchmark['model'])} at {clean(benchmark['provider'])}, benchmark {benchmark['id']}: {status}"
    if benchmark["completed_at"] and benchmark["started_at"]:
        text += f" after {seconds_between(benchmark['started_at'], benchmark['completed_at'])} s"
    yield Line(text, _STYLES.get(status, ""), 2)
    if benchmark.get("stopped") == "budget":
        yield Line(f"! A budget stopped it after {_sent(benchmark['progress'])} requests.", WARNING, 2)


def _sent(progress: dict[str, Any]) -> str:
    return f"{progress['done']:,}" if progress["total"] is None else f"{progress['done']:,} of {progress['total']:,}"


def _warnings(benchmark: dict[str, Any], failures: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    if error := benchmark["error"]:
        text = f"! {clean(error['kind'])}: {clean(error['message'])}"
        kinds = (benchmark["summary"] or {}).get("error_kinds")
        if kinds and _failed_entirely(benchmark):
            message = commonest_message(most_first(kinds)[0][0], failures)
            text += f": {message}" if message else ""
        yield Line(text, BAD, 2)
    for notice in notices(benchmark):
        yield Line(f"! {clean(notice)}", WARNING, 2)
    if benchmark["interrupted"]:
        yield Line("! Another worker continued this run after the first one stopped or died.", WARNING, 2)
    duplicates = (benchmark["summary"] or {}).get("possible_duplicates")
    if duplicates and duplicates["requests"]:
        cost = "of unknown cost" if duplicates["cost_usd"] is None else f"about {usd(duplicates['cost_usd'])}"
        text = f"! Up to {duplicates['requests']:,} requests may have been sent and billed without a stored answer"
        yield Line(f"{text}, {cost}.", WARNING, 2)


def _failed_entirely(benchmark: dict[str, Any]) -> bool:
    """Whether no request succeeded, so that the benchmark's error names the commonest kind."""
    return bool(benchmark["error"]) and benchmark["error"]["kind"] == "all_requests_failed"


def _progress(benchmark: dict[str, Any]) -> Iterator[Line]:
    state = benchmark["progress"]
    total = "" if state["total"] is None else f" of {state['total']:,}"
    yield pair("Requests", f"{state['done']:,}{total} done, {state['errors']:,} errors")
    yield pair("Newest TTFT", f"{milliseconds(state['last_ttft_ms'])} ms")
    yield pair("Cost so far", usd(state["cost_usd"]))


def _totals(
    benchmark: dict[str, Any], summary: dict[str, Any], failures: Sequence[Mapping[str, Any]]
) -> Iterator[Line]:
    yield _requests(summary["requests"])
    # The first line of such a run has the message of its only kind.
    is_told = _failed_entirely(benchmark) and len(summary["error_kinds"]) == 1
    yield from error_lines(summary, () if is_told else failures)
    yield from answer_lines(summary, benchmark["model"])
    any_succeeded, several = summary["requests"]["succeeded"] > 0, has_several(benchmark)
    if any_succeeded and not several:
        yield from throughput_lines(summary)
    if any_succeeded:
        yield from turn_lines(summary)
    if not summary.get("search"):
        yield from slo_lines(summary, several=several)
        if any_succeeded:
            yield from failure_lines(summary)
    yield from rate_lines(summary)
    yield concurrency_line(benchmark, several=several)
    if any_succeeded or summary["tokens"]["output_tokens"]:
        yield pair("Tokens", _tokens(summary["tokens"], summary.get("cached_share")))
    if any_succeeded or summary["cost"]["total_usd"] is not None:
        yield pair("Cost", _cost(benchmark, summary))
    if sent_with := _sent_with(benchmark.get("target") or {}):
        yield pair("Sent with", sent_with)
    yield from probe_lines(summary)
    yield from observed_lines(benchmark)
    yield from grade_lines(summary)


def _requests(requests: dict[str, int]) -> Line:
    failed = sum(requests.get(name, 0) for name in OUTCOMES if name != "succeeded")
    outcomes = ", ".join(
        f"{requests[name]:,} {name.replace('_', ' ')}" for name in OUTCOMES if requests.get(name) or name == "succeeded"
    )
    cancelled = " in flight" if requests["cancelled"] else ""
    warmup = f"; {requests['warmup']:,} warm-up not counted" if requests["warmup"] else ""
    planned = requests["planned"] or 0
    unsent = planned - requests["warmup"] - requests["succeeded"] - failed
    rest = f"; {unsent:,} of {planned:,} were not sent" if unsent > 0 else ""
    style = BAD if any(requests[name] for name in FAILURES) else WARNING if failed else ""
    return pair("Requests", f"{outcomes}{cancelled}{rest}{warmup}", style)


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
    if tokens.get("per_estimate") is not None:
        text += f"; {tokens['per_estimate']:.3f} for each that was estimated"
    if cached_share:
        text += f"; {cached_share:.0%} of the input from a cache"
    return text


def _cost(benchmark: dict[str, Any], summary: dict[str, Any]) -> str:
    total, each = total_cost(summary), cost_of_request(summary)
    provider_usd = summary["cost"].get("provider_usd")
    stated = "" if provider_usd is None else f"; the provider states {usd(provider_usd)} without warm-up"
    if total.usd is None:
        reason = "no price is known for this model" if benchmark["price"] is None else "usage is unknown"
        return f"{UNKNOWN} ({reason}){stated}"
    text = usd(total.usd) if each.usd is None else f"{usd(total.usd)}, {usd(each.usd)} a request"
    # Of an older version the cost of a request says more: how it was computed.
    left_out = total.left_out if each.usd is None or each.count is not None else each.left_out
    return text + (f"; {left_out}" if left_out else "") + stated
