"""What a sweep or a search has found, as lines of a benchmark."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.pairs import pair
from cli.terminal.output import GOOD, QUIET, WARNING, Line, clean

_STATUS = {
    "converged": "converged",
    "met_at_maximum": "the highest load that was allowed",
    "unmet_at_minimum": "not met at any load",
    "indeterminate": "not certain",
}
_FLAGS = {
    "cliff": "a cliff: at the first load that fails, most requests miss the SLOs; keep a distance",
    "non_monotone": "not monotone: a load fails although a higher one passes",
}


def conclusion_lines(benchmark: Mapping[str, Any]) -> Iterator[Line]:
    """Nothing for a benchmark without a sweep or a search."""
    found = (benchmark["summary"] or {}).get("search")
    if found is None:
        return
    if found["kind"] == "sweep":
        loads = ", ".join(f"{load:,.6g}" for load in found["values"]) or "– (none was measured to its end)"
        yield pair("Sweep", f"{found['control'].replace('_', ' ')} {loads}")
        if found["saturated_load"] is not None:
            yield pair("", f"more load brought nothing more at {found['saturated_load']:,.6g}", GOOD)
        yield pair("", f"llmbench curve {benchmark['id']} shows throughput against latency", QUIET)
        return
    load, status = found["concurrency"], _STATUS[found["status"]]
    if load is None:
        yield pair("Search", f"no load meets the SLOs ({status}): {clean(found['reason'])}", WARNING)
        return
    sure = found["status"] in ("converged", "met_at_maximum")
    yield pair("Search", f"{load:,} streams ({status}): {clean(found['reason'])}", GOOD if sure else WARNING)
    if found["is_sustained"] is not None:
        share = found["sustained"][-1]["attainment"]
        text = "sustained" if found["is_sustained"] else "but not sustained"
        shown = "" if share is None else f": {share:.1%} of the requests met the SLOs"
        yield pair("", f"{text} at {load:,} streams{shown}", "" if found["is_sustained"] else WARNING)
    for flag in found["flags"]:
        yield pair("", _FLAGS.get(flag, flag), WARNING)
