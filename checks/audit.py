"""Whether a locked package has a known vulnerability: `python -m checks.audit`.

pip-audit asks PyPI's advisories, then OSV. Neither has a snapshot that could be shipped, so without one of them nothing
is known. It says so; `--strict` makes it a failure.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.report import not_run

LOCK = Path(__file__).parents[1] / "requirements/parquet.txt"
SERVICES = ("pypi", "osv")
TIMEOUT_S = 120
Run = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service knows: the packages that it was asked about, those it knows nothing of, and what it found."""

    audited: int
    unknown: Sequence[str]
    found: Sequence[str]


def ask(service: str, run: Run) -> Answer | None:
    """None if the service does not answer. Its report counts: pip-audit exits with 0 where it could look nothing up."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "-r", str(LOCK)]
    options = ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        packages: list[dict[str, Any]] = json.loads(run([*command, *options]))["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    audited = [item for item in packages if "skip_reason" not in item]
    if not audited:
        return None
    return Answer(
        audited=len(audited),
        unknown=[item["name"] for item in packages if "skip_reason" in item],
        found=[
            f"{item['name']} {item['version']}: {vulnerability['id']}"
            f" (fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'})"
            for item in audited
            for vulnerability in item["vulns"]
        ],
    )


def _run(command: Sequence[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S).stdout
    except subprocess.TimeoutExpired:
        return ""


def main(arguments: Sequence[str], run: Run = _run) -> int:
    for service in SERVICES:
        answer = ask(service, run)
        if answer is None:
            continue
        for line in answer.found:
            sys.stderr.write(f"audit: {line}\n")
        if answer.unknown:
            sys.stderr.write(f"audit: {service} knows nothing of {', '.join(answer.unknown)}\n")
        if not answer.found:
            sys.stdout.write(f"audit: {answer.audited} packages, no known vulnerability ({service})\n")
        return 1 if answer.found else 0
    not_run("audit", f"no advisory service answers ({', '.join(SERVICES)}), so nothing is known of vulnerabilities")
    return 1 if "--strict" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
