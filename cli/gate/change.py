"""What a comparison with the baseline says about one measure, from the document of `GET /compare`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.gate.rule import Rule

WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Change:
    """The number of the new run less that of the baseline, and divided by it; each with its 95 % interval.

    `value`, `base`: the two numbers. Those of a summary may be less exact. None: the document has none.
    """

    difference: float | None
    difference_interval: tuple[float, float] | None
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    is_withheld: bool
    more_requests: int | None
    # Values that each run needs for a difference, if there is none.
    needed: int | None
    value: float | None = None
    base: float | None = None


def change_of(rule: Rule, comparison: Mapping[str, Any], benchmark_id: int) -> Change | None:
    """None if the document does not compare this measure."""
    for metric in comparison["metrics"]:
        if metric["metric"] == rule.measure.name and rule.statistic in (None, metric["statistic"]):
            for item in metric["differences"]:
                if item["id"] == benchmark_id:
                    return _change(item, metric.get("values") or ())
    return None


def why_withheld(comparison: Mapping[str, Any], benchmark_id: int) -> str:
    """The reasons for which the runs are not compared; empty if they are."""
    # Reasons begin with the letter of a run. Here there is only one beside the baseline.
    letters = [run["label"] for run in comparison.get("runs") or () if run["id"] == benchmark_id]
    reasons = comparison.get("withheld") or ()
    return "; ".join(reason.removeprefix(f"{letter}: ") for reason in reasons for letter in letters or [""])


def _change(item: Mapping[str, Any], values: Sequence[Mapping[str, Any]]) -> Change:
    known = {value["id"] == item["id"]: value.get("value") for value in values}
    return Change(
        difference=item["difference"],
        difference_interval=_ends(item.get("interval_95")),
        ratio=item.get("ratio"),
        ratio_interval=_ends(item.get("ratio_interval")),
        is_withheld=item.get("verdict") == WITHHELD,
        more_requests=item.get("more_requests"),
        needed=max((value["needed"] for value in values if value.get("needed") is not None), default=None),
        value=known.get(True),
        base=known.get(False),
    )


def _ends(interval: Sequence[float] | None) -> tuple[float, float] | None:
    return None if interval is None else (interval[0], interval[1])
