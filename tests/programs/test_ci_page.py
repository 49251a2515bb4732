"""The shell of docs/ci.md, as a CI runs it, against a real `llmbench up`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from cli.exits import ExitCode
from tests.support.programs.llmbench import llmbench

PAGE = (Path(__file__).parents[2] / "docs/ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
GITHUB, GITLAB = (
    yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
)
# The noise of a busy machine is far below 10 % of this TTFT.
SPEC = """\
name: nightly
model: sim-ttft250-gap2-n4
workload: {source: builtin}
load: {concurrency: 8, requests: 48}
"""


@dataclass
class Job:
    """A folder with the benchmark in it, and a server that is up."""

    folder: Path
    environment: dict[str, str]

    def shell(self, text: str, *codes: int) -> None:
        """Runs it as GitHub and GitLab do: the first error ends it."""
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (codes or (ExitCode.OK,)), f"{text}\n{done.stdout}{done.stderr}"

    def verdicts(self) -> dict[str, str]:
        """Of the rules in `llmbench.json`."""
        rules = json.loads((self.folder / "llmbench.json").read_text())["gate"]["rules"]
        return {rule["rule"]: rule["outcome"] for rule in rules}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """One for all tests: starting it takes longer than they do."""
    tmp_path = tmp_path_factory.mktemp("ci")
    folder, programs = tmp_path / "job", tmp_path / "bin"
    for path in (folder, programs):
        path.mkdir()
    (folder / "bench.yaml").write_text(SPEC)
    _program(programs / "llmbench", f'exec {sys.executable} -m cli.main "$@"')
    # It is installed already.
    for installer in ("pip", "pipx"):
        _program(programs / installer, "exit 0")
    _program(
        programs / "jq", f'exec {sys.executable} -c \'import json,sys; print(json.load(open(sys.argv[2]))["id"])\' "$@"'
    )
    with llmbench(tmp_path, "up", "--port", "0") as up:
        environment = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LLMBENCH_SERVER": up.wait_for_url(),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "GITHUB_SHA": "c0ffee",
            "CI_COMMIT_SHA": "c0ffee",
            "GITHUB_STEP_SUMMARY": str(folder / "step.md"),
        }
        yield Job(folder, environment)


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def test_the_page_does_what_it_says(job: Job) -> None:
    first, lenient, pin = BLOCKS
    job.shell(first)
    job.shell(lenient)
    job.shell(pin)
    # Another grade than that of the baseline, on a busy machine, leaves its rule undecided.
    github = "\n".join(step["run"] for step in GITHUB["jobs"]["gate"]["steps"] if "run" in step)
    job.shell(github, ExitCode.OK, ExitCode.UNDECIDED)
    verdicts = job.verdicts()
    assert list(verdicts) == ["ttft_ms.p95 > 800 ms", "error_rate > 1%", "ttft_ms.p50 > baseline + 10%"]
    assert [*verdicts.values()][:2] == ["passed", "passed"]
    assert verdicts["ttft_ms.p50 > baseline + 10%"] != "failed"
    assert (job.folder / "step.md").read_text().startswith("### llmbench: ")
    assert len(ET.parse(job.folder / "llmbench.xml").findall(".//testcase")) == 4
    bench: dict[str, Any] = GITLAB["bench"]
    job.shell("\n".join(bench["script"]), ExitCode.OK, *bench["allow_failure"]["exit_codes"])
    assert "Compared" in (job.folder / "llmbench.md").read_text()


def test_a_slower_server_fails_the_gate(job: Job) -> None:
    job.shell(BLOCKS[-1])
    rules = "--fail-if 'ttft_ms.p50 > baseline + 10%' --fail-if 'ttft_ms.p50 > 300' --baseline main"
    job.shell(f"llmbench run bench.yaml -m sim-ttft600-gap2-n4 {rules} --json > llmbench.json", ExitCode.FAILED)
    verdicts = job.verdicts()
    assert verdicts["ttft_ms.p50 > 300 ms"] == "failed"
    assert verdicts["ttft_ms.p50 > baseline + 10%"] in ("failed", "undecided")
