"""Plays each job of docs/jobs in a fresh HOME and an empty folder, and prints its time.

    python -m benchmarks.jobs [--only NAME ...] [--server URL] [--write]

No key is here, so the simulator plays each hosted model. "Your own server" is the one at `--server`, which must serve
`smollm2-135m`: llama.cpp with SmolLM2-135M-Instruct. Without it, the simulator stands in, and the transcript says so.
PostgreSQL and Redis are those of the test suite. `--write` writes docs/jobs/transcript.md.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.jobs.page import JOBS, ORDER, Page, read
from benchmarks.jobs.stage import JobFailed, Played, stage
from checks.report import not_run
from shared.clock import monotonic_ns, wall_now
from shared.version import __version__
from tests.support.servers.postgresql import postgresql_server
from tests.support.servers.valkey import redis_server

_KEY = re.compile(r"(?m)^export (?:[A-Z]+_API_KEY=\S+ ?)+$")
_OWN = "http://127.0.0.1:8777"
_LONGEST = 60


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ORDER, default=ORDER)
    parser.add_argument("--server", help="base URL of the own server, without /v1")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    with simulator() as simulated:
        if options.server is None:
            not_run("jobs-own-server", "no model server is here (--server), so the simulator stands in for it")
        parts, failed = [], False
        for page in map(read, options.only):
            try:
                played, seconds = play(page, options.server or simulated, simulated)
            except JobFailed as exc:
                print(f"{page.title}: FAILED: {exc}", file=sys.stderr)
                failed = True
                continue
            print(f"{seconds:6.1f} s  {page.title}", flush=True)
            parts.append(section(page, played, seconds, options.server is not None))
    if options.write and not failed:
        (JOBS / "transcript.md").write_text(
            f"{head(options.server is not None, load)}\n{''.join(parts)}", encoding="utf-8"
        )
    return failed


def play(page: Page, own: str, simulated: str) -> tuple[list[Played], float]:
    """What was seen, and the seconds from the first block to the last. Raises JobFailed."""
    with ExitStack() as around:
        changes = {keys: "true" for block in page.blocks for keys in _KEY.findall(block.text)}
        changes[_OWN] = own
        if page.name == "team":
            changes["postgresql://user:password@host/llmbench"] = around.enter_context(postgresql_server()).url
            changes["redis://host:6379/0"] = around.enter_context(redis_server()).url
        where = around.enter_context(stage(changes))
        if page.name == "team":
            where.environment["SIMULATOR_URL"] = simulated
        begun = monotonic_ns()
        for block in page.blocks:
            where.play(block)
        return where.played, (monotonic_ns() - begun) / 1e9


@contextmanager
def simulator() -> Iterator[str]:
    """The URL of a simulator in a process of its own."""
    command = [sys.executable, "-m", "simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        try:
            if found is None:
                raise SystemExit("the simulator did not start")
            yield found[0]
        finally:
            process.terminate()


def head(real: bool, load: float) -> str:
    own = (
        "**Your own server** was llama.cpp's with SmolLM2-135M-Instruct, one thread and two places, on the same host."
        if real
        else "**No server of your own was measured**: none was there, so the simulator stood in."
    )
    return f"""# The jobs, played

`make jobs` has played the pages of this folder: each in a fresh `HOME` and an empty folder, block by block. llmbench
{__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, {wall_now():%Y-%m-%d}
(load average before the first job: {load:.1f}).

**No hosted model was measured**: no key was there, so the lines that set keys were left out and the simulator answered.
Its times say nothing about a provider.

{own}

**No containers**: the team's PostgreSQL and Redis were those of the test suite, and Docker Compose was not played.
"""


def section(page: Page, played: Sequence[Played], seconds: float, real: bool) -> str:
    stands_in = "" if real or page.name not in ("own-server", "load") else " The simulator stood in for the server."
    blocks = "\n".join(f"```console\n{shown(item)}\n```\n" for item in played)
    return f"\n## {page.title}\n\n[The page]({page.name}.md). **{seconds:.1f} s.**{stands_in}\n\n{blocks}"


def shown(item: Played) -> str:
    first, *rest = item.block.text.splitlines()
    lines = item.output.splitlines()
    if len(lines) > _LONGEST:
        lines = [*lines[:_LONGEST], f"… ({len(lines) - _LONGEST} more lines)"]
    return "\n".join([f"$ {first}", *(f"> {line}" for line in rest), *lines, f"# {item.seconds:.1f} s"])


if __name__ == "__main__":
    sys.exit(main())
