"""Reads the `Prefer: wait=` header (RFC 7240)."""

import math
import re

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d+(?:\.\d+)?)\"?\s*(?=$|[,;])", re.IGNORECASE)


def wait_seconds(prefer: str | None, most: float) -> float | None:
    """Seconds of `wait=`, at most `most`. None if the header has no `wait=`; other preferences are ignored."""
    found = _WAIT.search(prefer or "")
    seconds = float(found.group(1)) if found else None
    return None if seconds is None or not math.isfinite(seconds) else min(seconds, most)
