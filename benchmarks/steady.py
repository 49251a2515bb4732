"""`make steady N=20`: runs `make test`, `heavy`, `programs` and `chaos` again and again while one core is kept busy.

Prints each run with its time, and at the end what failed how often. Exit status 1 where anything failed. Twenty runs
take hours. Each is kept in `.steady.jsonl`, and the next call with the same code goes on. `--anew` forgets them.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Not committed.
KEPT = ROOT / ".steady.jsonl"
TARGETS = ["test", "heavy", "programs", "chaos"]
# As pytest lists them at the end.
FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One call of `make TARGET`, and the tests that failed in it."""

    target: str
    seconds: int
    failed: list[str]


@contextmanager
def one_core_busy() -> Iterator[None]:
    """By a program that never waits, as a CI machine may have one; pinned to that core where the system can do so."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as spinning:
        try:
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(spinning.pid, {max(os.sched_getaffinity(0))})
            yield
        finally:
            spinning.kill()


def failures(output: str) -> list[str]:
    """The tests that a run of pytest names as failed."""
    return sorted(set(FAILURE.findall(output)))


def run(target: str, arguments: str) -> tuple[bool, str]:
    """Whether `make TARGET` passed, and all that it printed."""
    # Without what this program's own make hands down: its variables and its places for parallel jobs.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", target, *([f"ARGS={arguments}"] if arguments else [])]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode == 0, done.stdout


def code() -> str | None:
    """The hash of all files as they are committed. None where something is not committed, or without git."""
    try:
        changed, tree = (
            subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for arguments in (["status", "--porcelain"], ["rev-parse", "HEAD^{tree}"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return None if changed else tree


def kept(tree: str | None, arguments: str) -> list[Run]:
    """The runs of this code that earlier calls have kept."""
    if tree is None or not KEPT.exists():
        return []
    lines = [json.loads(line) for line in KEPT.read_text().splitlines()]
    return [Run(**line["run"]) for line in lines if (line["tree"], line["arguments"]) == (tree, arguments)]


def keep(tree: str | None, arguments: str, done: Run) -> None:
    if tree is not None:
        with KEPT.open("a") as file:
            file.write(json.dumps({"tree": tree, "arguments": arguments, "run": asdict(done)}) + "\n")


def report(targets: list[str], runs: list[Run]) -> int:
    """Prints how often each target passed and what failed. The program's exit status."""
    for target in targets:
        passed = [not done.failed for done in runs if done.target == target]
        print(f"make {target}: {sum(passed)} of {len(passed)} runs passed")
    failed = Counter(f"{done.target}: {name}" for done in runs for name in done.failed)
    for name, count in failed.most_common():
        print(f"  {count:3d} × {name}")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--what", choices=[*TARGETS, "all"], default="all")
    parser.add_argument("--args", default="", help="for pytest, as in `make test ARGS=…`")
    parser.add_argument("--anew", action="store_true", help="forget the runs of earlier calls")
    options = parser.parse_args()
    targets = TARGETS if options.what == "all" else [options.what]
    if options.anew:
        KEPT.unlink(missing_ok=True)
    tree = code()
    runs = [done for done in kept(tree, options.args) if done.target in targets]
    if runs:
        print(f"{len(runs)} runs of this code were kept by earlier calls (--anew forgets them)")
    logs = Path(tempfile.mkdtemp(prefix="llmbench-steady-"))
    try:
        with one_core_busy():
            for number in range(1, options.runs + 1):
                for target in targets:
                    if sum(done.target == target for done in runs) >= number:
                        continue
                    begin = time.monotonic()
                    passed, output = run(target, options.args)
                    named = [] if passed else failures(output) or ["(no test is named)"]
                    done = Run(target, round(time.monotonic() - begin), named)
                    runs.append(done)
                    keep(tree, options.args, done)
                    print(f"{number:3d}/{options.runs}  make {target:8s}  {done.seconds:5d} s  ", end="")
                    if passed:
                        print("passed", flush=True)
                        continue
                    log = logs / f"{target}-{number}.log"
                    log.write_text(output)
                    print(f"FAILED: {', '.join(named)}  (whole output: {log})", flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted")
    if not any(logs.iterdir()):
        logs.rmdir()
    return report(targets, runs)


if __name__ == "__main__":
    sys.exit(main())
