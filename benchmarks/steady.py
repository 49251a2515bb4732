"""`make steady N=20`: runs the suite, the programs and the chaos tests again and again while one core is kept busy.

Prints each run with its time, and at the end what failed how often. Exit status 1 where anything failed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGETS = ["test", "programs", "chaos"]
# As pytest lists them at the end.
FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--what", choices=[*TARGETS, "all"], default="all")
    parser.add_argument("--args", default="", help="for pytest, as in `make test ARGS=…`")
    options = parser.parse_args()
    targets = TARGETS if options.what == "all" else [options.what]
    logs = Path(tempfile.mkdtemp(prefix="llmbench-steady-"))
    runs, failed_runs, failed = Counter[str](), Counter[str](), Counter[str]()
    try:
        with one_core_busy():
            for number in range(1, options.runs + 1):
                for target in targets:
                    begin = time.monotonic()
                    passed, output = run(target, options.args)
                    took_s = time.monotonic() - begin
                    runs[target] += 1
                    print(f"{number:3d}/{options.runs}  make {target:8s}  {took_s:5.0f} s  ", end="")
                    if passed:
                        print("passed", flush=True)
                        continue
                    failed_runs[target] += 1
                    log = logs / f"{target}-{number}.log"
                    log.write_text(output)
                    named = failures(output) or ["(no test is named)"]
                    failed.update(f"{target}: {name}" for name in named)
                    print(f"FAILED: {', '.join(named)}  (whole output: {log})", flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted")
    for target in targets:
        print(f"make {target}: {runs[target] - failed_runs[target]} of {runs[target]} runs passed")
    for name, count in failed.most_common():
        print(f"  {count:3d} × {name}")
    if not failed:
        logs.rmdir()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
