"""`make fuzz`: sends damaged answers through the decoder and stores a record of each shape on both databases."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from shared.db.schema.migrate import upgrade
from tests.fuzz.damage import damaged
from tests.fuzz.run import Findings, judge, kind_of, run
from tests.fuzz.sent import Sent
from tests.fuzz.shrink import smallest
from tests.fuzz.stored import store_all
from tests.support.servers.postgresql import postgresql_server


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--seed", default=None, help="repeats a run; chosen at random if left out")
    parser.add_argument("--only", type=int, default=None, help="the number of a single answer")
    arguments = parser.parse_args()
    seed = arguments.seed or secrets.token_hex(4)
    numbers = range(arguments.answers) if arguments.only is None else [arguments.only]
    print(f"{len(numbers):,} damaged answers, seed {seed}", flush=True)
    findings = run((damaged(f"{seed}-{number}") for number in numbers), _progress)
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(findings.outcomes.items()))
    print(f"{findings.count:,} answers: {outcomes}; {len(findings.shapes):,} shapes of records")
    for words in _reports(findings):
        print(words, flush=True)
    differences = _stored(findings)
    for words in differences:
        print(words)
    if findings.found or differences:
        print(f"FAILED; the same again: make fuzz N={arguments.answers} SEED={seed}")
        return 1
    print("nothing found: every answer has a record that holds, and both databases return what they were given")
    return 0


def _progress(findings: Findings) -> None:
    print(f"  {findings.count:,} answers, {len(findings.found)} kinds of problems", flush=True)


def _reports(findings: Findings) -> Iterator[str]:
    """Each kind of problem with the smallest answer that has it."""
    for kind, (sent, words) in findings.found.items():

        def fails(candidate: Sent, kind: str = kind) -> bool:
            return kind in map(kind_of, judge(candidate)[1])

        # Each try of an answer that hangs takes too long.
        small = sent if kind == "hangs" else smallest(sent, fails)
        yield f"\n== {words}\nthe smallest answer that was found:\n{str(small)[:5_000]}\n"


def _stored(findings: Findings) -> list[str]:
    records = list(findings.shapes.values())
    with tempfile.TemporaryDirectory(prefix="llmbench-fuzz-") as folder, postgresql_server() as server:
        urls = {"SQLite": f"sqlite:///{Path(folder) / 'fuzz.db'}", "PostgreSQL": server.url}
        differences: list[str] = []
        for name, url in urls.items():
            upgrade(url)
            found = asyncio.run(store_all(url, records))
            print(f"{name}: {len(records):,} records stored, {len(found)} differ when read back", flush=True)
            differences += [f"{name}: {words}" for words in found[:20]]
        return differences


if __name__ == "__main__":
    sys.exit(main())
