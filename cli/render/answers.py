"""What the answers of a benchmark say about themselves: flags, findings, finish reasons, served models and tiers.

There is a line only for what a reader does not expect.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.render.pairs import counts, pair
from cli.terminal.output import WARNING, Line, clean

# Words for an answer that ended by itself.
_ENDED = {"stop", "end_turn", "stop_sequence", "completed", "eos"}
_STANDARD_TIERS = {"default", "standard", "on_demand"}


def answer_lines(summary: Mapping[str, Any], model: str) -> Iterator[Line]:
    """`model`: the one that was asked for."""
    findings = summary.get("conformance") or []
    flags = {name: count for name, count in summary["flags"].items() if name not in {f["finding"] for f in findings}}
    if flags:
        yield pair("Flags", counts(flags), WARNING)
    for number, finding in enumerate(findings):
        text = f"{clean(finding['finding'])} {finding['requests']:,}: {_effect(finding)}"
        yield pair("" if number else "Findings", text, WARNING)
    reasons = summary.get("finish_reasons") or {}
    if reasons.keys() - _ENDED:
        yield pair("Ended by", counts(reasons))
    served = summary.get("served") or {"models": {}, "service_tiers": {}}
    parts = []
    if served["models"].keys() - {model}:
        parts.append(counts(served["models"]))
    if served["service_tiers"].keys() - _STANDARD_TIERS:
        parts.append(f"tier {counts(served['service_tiers'])}")
    if parts:
        yield pair("Served", "; ".join(parts))


def _effect(finding: Mapping[str, Any]) -> str:
    """What was seen, and what it does to the numbers."""
    meaning, effect = clean(finding["meaning"]), clean(finding["effect"])
    if effect.startswith("None"):
        return f"{meaning}; no effect on the numbers"
    return f"{meaning}. {effect}"
