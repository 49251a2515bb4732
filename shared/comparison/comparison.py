"""Compares two to eight benchmarks with the first of them. `api/present/comparisons.py` calls it in a thread.

Returns the document of `GET /compare`.
"""

from collections.abc import Sequence
from typing import Any

from shared.comparison.compared import Compared
from shared.comparison.measure import COST, ERRORS, MEASURES, Difference, Interval, Known, Margins, Measure
from shared.comparison.notes import at_the_same_time, notes_of
from shared.comparison.pair import cost_difference, quantile_difference
from shared.comparison.run_rows import RunRows
from shared.comparison.sentence import sentence_of
from shared.comparison.settings import differing, fields, reasons
from shared.comparison.shares import error_difference
from shared.comparison.verdict import more_requests, verdict_of


def comparison_of(
    runs: Sequence[Compared], rows: Sequence[RunRows], margins: Margins, metrics: Sequence[str] = ()
) -> dict[str, Any]:
    """`metrics`: only these; empty: all. The first run is the reference."""
    reference, others = runs[0], runs[1:]
    of_pairs = {run.id: reasons(reference, run) for run in others}
    errors = [error_difference(rows[0], item) for item in rows[1:]]
    return {
        "reference": reference.id,
        "runs": [_run(run) for run in runs],
        "differs": list(fields(differing(runs))),
        "fair": all(at_the_same_time(reference, run) and not of_pairs[run.id] for run in others),
        "withheld": [f"{run.label}: {reason}" for run in others for reason in of_pairs[run.id]],
        "notes": notes_of(runs, rows, errors),
        "margins": {"percent": margins.percent, "ms": margins.ms, "points": margins.points},
        "metrics": [
            _measure(measure, runs, rows, margins, {number for number, found in of_pairs.items() if found})
            for measure in MEASURES
            if not metrics or measure.metric in metrics
        ],
    }


def _run(run: Compared) -> dict[str, Any]:
    return {
        "label": run.label,
        "id": run.id,
        "name": run.name,
        "model": run.model,
        "provider": run.provider,
        "status": run.status,
        "grade": run.grade,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "requests": run.summary.get("requests"),
    }


def _measure(
    measure: Measure, runs: Sequence[Compared], rows: Sequence[RunRows], margins: Margins, withheld: set[int]
) -> dict[str, Any]:
    found = [
        difference_of(measure, rows[0], item, same_texts=runs[0].has_same_texts(run))
        for run, item in zip(runs[1:], rows[1:], strict=True)
    ]
    # The reference's interval comes from the first pair that has one: it differs a little from pair to pair.
    first = next((item.reference for item in found if item.reference.interval is not None), found[0].reference)
    known = [first, *(item.other for item in found)]
    return {
        "metric": measure.metric,
        "statistic": measure.statistic,
        "title": measure.title,
        "unit": measure.unit,
        "better": measure.better,
        "values": [_value(run, item, measure) for run, item in zip(runs, known, strict=True)],
        "differences": [
            _difference(measure, run, item, margins, runs[0].label, is_withheld=run.id in withheld)
            for run, item in zip(runs[1:], found, strict=True)
        ],
    }


def difference_of(measure: Measure, first: RunRows, second: RunRows, *, same_texts: bool) -> Difference:
    """Of any measure of the registry."""
    if measure is ERRORS:
        return error_difference(first, second)
    if measure is COST:
        return cost_difference(measure, first, second, same_texts=same_texts)
    return quantile_difference(measure, first, second, same_texts=same_texts)


def _value(run: Compared, known: Known, measure: Measure) -> dict[str, Any]:
    return {
        "id": run.id,
        "n": known.n,
        "value": known.value,
        "interval": _pair(known.interval),
        "needed": measure.least if known.value is None else None,
    }


def _difference(
    measure: Measure, run: Compared, found: Difference, margins: Margins, reference: str, *, is_withheld: bool
) -> dict[str, Any]:
    margin = None if found.reference.value is None else margins.of(measure, found.reference.value)
    verdict = verdict_of(found, margin or 0.0)
    more = more_requests(found, margin or 0.0) if verdict == "too_early" else None
    if is_withheld and found.value is not None:
        verdict, more = "withheld", None
    return {
        "id": run.id,
        "difference": found.value,
        "interval_95": _pair(found.interval_95),
        "interval_90": _pair(found.interval_90),
        "ratio": found.ratio,
        "ratio_interval": _pair(found.ratio_interval),
        "margin": margin,
        "verdict": verdict,
        "better": _better(measure, found, verdict),
        "more_requests": more,
        "basis": found.basis,
        "sentence": sentence_of(measure, found, verdict, more, label=run.label, reference=reference),
    }


def _better(measure: Measure, found: Difference, verdict: str) -> bool | None:
    """Whether the other run is better. None: there is no difference to speak of."""
    if verdict != "different" or not found.value:
        return None
    return (found.value < 0) == (measure.better == "lower")


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval[0], interval[1]]
