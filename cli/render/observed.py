"""What the server under test said about itself: means and peaks of its own metrics, of the run and of its stages."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.render.numbers import milliseconds, rate, usd
from cli.render.pairs import counts, pair
from cli.terminal.output import WARNING, Line, clean
from shared.observing.series import BY_NAME

# The lines of a run. A line without a series that the server has is left out.
_LINES = (
    ("running", "waiting", "preemptions_per_second"),
    ("kv_cache_usage", "prefix_cache_hit_rate"),
    ("prompt_tokens_per_second", "generation_tokens_per_second"),
    ("gpu_usage", "gpu_memory_mib", "power_w"),
)
_OF_A_STAGE = ("running", "waiting", "kv_cache_usage", "prefix_cache_hit_rate", "gpu_usage", "power_w")
# More stages than this would fill the terminal. The API has all of them.
MAX_STAGES = 20


def observed_lines(benchmark: Mapping[str, Any]) -> Iterator[Line]:
    """Nothing if nothing was observed."""
    observed = (benchmark["summary"] or {}).get("observed")
    if not observed:
        return
    title = "Server"
    for names in _LINES:
        if text := _values(observed["series"], names):
            yield pair(title, text)
            title = ""
    stages = [stage for stage in benchmark.get("stages", ()) if (stage["summary"] or {}).get("observed")]
    for stage in stages[:MAX_STAGES] if len(stages) > 1 else ():
        if text := _values(stage["summary"]["observed"]["series"], _OF_A_STAGE):
            yield pair(f"  stage {stage['number']}", text)
    if len(stages) > MAX_STAGES:
        yield pair("", f"and {len(stages) - MAX_STAGES:,} more stages")
    if observed["failures"]:
        yield pair(title, f"its metrics could not be read: {counts(observed['failures'])}", WARNING)


def probe_lines(summary: Mapping[str, Any]) -> Iterator[Line]:
    """The requests of one token that were sent beside the load."""
    probes = summary.get("probes")
    if not probes:
        return
    counted, ttft = probes["requests"], probes["ttft_ms"]
    text = f"{counted['succeeded']:,} of one token"
    if ttft["count"]:
        text += f", TTFT {milliseconds(ttft['p50'])} ms (p50), {milliseconds(ttft['p95'])} ms (p95)"
        text += f", {milliseconds(ttft['max'])} ms at most"
    for name in ("failed", "dropped"):
        text += f"; {counted[name]:,} {name}" if counted[name] else ""
    text += f"; {usd(float(probes['cost_usd']))}" if probes["cost_usd"] is not None else ""
    yield pair("Probes", text, WARNING if counted["failed"] else "")


def _values(series: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    return ", ".join(
        f"{BY_NAME[name].title} {_value(series[name], 'mean')} (max {_value(series[name], 'max')})"
        + _unit(series[name]["unit"])
        for name in names
        if name in series
    )


def _value(found: Mapping[str, Any], what: str) -> str:
    return f"{found[what]:.0%}" if found["unit"] == "share" else rate(found[what])


def _unit(unit: str) -> str:
    return "" if unit in ("share", "requests") else f" {clean(unit)}"
