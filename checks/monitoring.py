"""Prometheus' own verdict on our rules and on what API and worker tell it: `python -m checks.monitoring`.

`promtool` and `prometheus` come with Prometheus (Debian: `apt install prometheus`; `.ci/tools` unpacks it into
.venv/tools). The rules are checked and played through, what a real API and a real worker answer is checked, and a real
Prometheus reads both with our rules.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from checks.report import not_run
from checks.scrape import Targets, problems_of_prometheus, running_targets

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy/monitoring/alerts.yaml"
CASES = ROOT / "tests/deploy/alerts.yaml"
FETCHED = ROOT / ".venv/tools/usr/bin"


def main() -> int:
    promtool, prometheus = _find("promtool"), _find("prometheus")
    if promtool is None:
        not_run("promtool", "it is not installed (Debian: apt install prometheus, or .ci/tools)")
        return 0
    codes = [_run([promtool, "check", "rules", str(RULES)]), _run([promtool, "test", "rules", str(CASES)])]
    with tempfile.TemporaryDirectory() as folder, running_targets(Path(folder)) as targets:
        for name, scrape in targets.scrapes().items():
            code = _run([promtool, "check", "metrics"], scrape)
            sys.stdout.write(f"promtool: a scrape of the {name}: {'good' if code == 0 else 'refused'}\n")
            codes.append(code)
        codes.append(_read_by(prometheus, targets, Path(folder)))
    return max(codes)


def _read_by(prometheus: str | None, targets: Targets, folder: Path) -> int:
    if prometheus is None:
        not_run("promtool", "there is no `prometheus` beside it, so nothing has read API and worker with the rules")
        return 0
    problems = problems_of_prometheus(prometheus, RULES, targets, folder)
    sys.stderr.writelines(f"prometheus: {problem}\n" for problem in problems)
    if not problems:
        sys.stdout.write("prometheus: reads API and worker, and evaluates every rule\n")
    return bool(problems)


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=str(FETCHED))


def _run(command: list[str], text: bytes | None = None) -> int:
    return subprocess.run(command, input=text, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
