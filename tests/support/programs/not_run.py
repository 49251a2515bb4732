"""Names the programs that this machine lacks and tests need, so that nobody takes skipped tests for a success."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest

# Word in a reason → the part as `CI_MAY_SKIP` of `.ci/run` names it.
_PARTS = {
    "nginx": "nginx",
    "kubectl": "kubectl",
    "pgbouncer": "pgbouncer",
    "node": "node",
    "npm": "node",
    "chromium": "e2e",
}


def not_run_lines(skipped: Iterable[pytest.TestReport]) -> Iterator[str]:
    """One line for each program, for tests/conftest.py."""
    reasons = defaultdict(list)
    for report in skipped:
        if not isinstance(report.longrepr, tuple):
            continue
        reason = report.longrepr[2].removeprefix("Skipped: ")
        part = next((part for word, part in _PARTS.items() if word in reason.lower()), None)
        if part is not None:
            reasons[part].append(reason)
    for part, found in sorted(reasons.items()):
        yield f"NOT RUN: {part}: {len(found)} test{'s' if len(found) > 1 else ''}: {found[0]}"
