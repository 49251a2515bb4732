"""Tokens of a request on average, from a stored summary. Comparisons and exports ask."""

from collections.abc import Mapping
from typing import Any

from shared.benchmark.results.outcome import CUT_OFF, FAILURES

# With one of them, the sums of a summary may lack the tokens of a request.
_NO_USAGE = ("usage_missing", "usage_contradictory", "usage_out_of_range")


def mean_tokens(summary: Mapping[str, Any], name: str) -> float | None:
    """Over the measured requests whose usage reported them. None: it is not known.

    Older summaries do not say how many did. Then it is known only if all requests succeeded with a whole usage.
    """
    total = (summary.get("tokens") or {}).get(name)
    reported: Mapping[str, int] | None = summary.get("tokens_reported")
    count = _whole(summary) if reported is None else reported.get(name)
    return total / count if total is not None and count else None


def _whole(summary: Mapping[str, Any]) -> int | None:
    """How many requests succeeded, if no other one may have tokens and none of them may lack its own."""
    requests, flags = summary.get("requests") or {}, summary.get("flags") or {}
    unsure = [*(requests.get(outcome) for outcome in (*FAILURES, *CUT_OFF)), *(flags.get(flag) for flag in _NO_USAGE)]
    return None if any(unsure) else requests.get("succeeded")
