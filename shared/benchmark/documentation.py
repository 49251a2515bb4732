"""Writes all tables of docs/metrics.md from the registries: `make docs` pipes the page through it."""

import sys

from shared.benchmark.flags import FLAGS
from shared.numbers.documentation import with_tables


def with_all_tables(page: str) -> str:
    """The page with new tables of metrics, fields and flags."""
    return with_tables(page, {"flags": _flags()})


def _flags() -> str:
    rows = [
        f"| `{flag.name}` | {flag.meaning} | {flag.effect} | {'yes' if flag.oddity else ''} |"
        for flag in FLAGS.values()
    ]
    return "\n".join(["| flag | meaning | effect on the numbers | finding |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(with_all_tables(sys.stdin.read()))
