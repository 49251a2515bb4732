"""Sends the API what could hurt it, and watches its event loop and its memory.

    python -m benchmarks.abuse [--minutes 10] [--quick] [--database-url postgresql://…] [--markdown]

Starts a real API process, sends it every hostile request of `benchmarks/abuse/cases.py` and then, for some minutes,
requests that schemathesis makes up from the OpenAPI document. Checks that no answer is a 500, that the loop answers
`/health` within 250 ms all the time, and that the memory stays below the container's limit. Linux only.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.abuse.run import Report, abuse


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long schemathesis makes up requests")
    parser.add_argument("--quick", action="store_true", help="only the cases that take little time")
    parser.add_argument("--database-url", help="an empty database; otherwise SQLite in a temporary folder")
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/security.md has it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database_url or f"sqlite:///{folder}/abuse.db"
        report = abuse(Path(folder), url, minutes=options.minutes, quick=options.quick, progress=_progress)
    print(_table(report, markdown=options.markdown))
    for line in report.broken():
        print(f"BROKEN: {line}", file=sys.stderr)
    return 1 if report.broken() else 0


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _table(report: Report, *, markdown: bool) -> str:
    rows = [
        (item.case.name, f"{item.sent_mb:,.1f}", item.shown_status, f"{item.held_ms:,.0f}", f"{item.grown_mb:,.0f}")
        for item in report.measured
    ]
    head = ("request", "MB sent", "answer", "loop held, ms", "memory, MB more")
    if markdown:
        lines = [f"| {' | '.join(row)} |" for row in (head, ("---", "---:", "---", "---:", "---:"), *rows)]
    else:
        width = max(len(row[0]) for row in (head, *rows))
        lines = [f"{row[0]:{width}} {row[1]:>8} {row[2]:>7} {row[3]:>14} {row[4]:>16}" for row in (head, *rows)]
    return "\n".join([*lines, "", *report.summary()])


if __name__ == "__main__":
    sys.exit(main())
