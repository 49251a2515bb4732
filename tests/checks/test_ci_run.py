"""`.ci/run` is red when something failed or did not run, with `make` and `docker` replaced by scripts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / ".ci/run"
AUDIT = "NOT RUN: audit: no advisory service answers"
RED = "\x1b[1;31m"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("project/.ci", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(RUN, tmp_path / "project/.ci/run")
    script(tmp_path / "project/.ci/tools", "exit 0")
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(project: Path, make: str, docker: str, **environment: str) -> tuple[int, str]:
    script(project / "bin/make", make)
    script(project / "bin/docker", docker)
    path = f"{project / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", project / "project/.ci/run"],
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_it_is_green_when_everything_ran(project: Path) -> None:
    code, said = run(project, "exit 0", "exit 0")
    assert (code, RED in said) == (0, False)
    assert said.splitlines()[-1] == "everything ran"


def test_a_part_that_failed_ends_it_with_its_own_code(project: Path) -> None:
    code, said = run(project, 'test "$1" != chaos || exit 7', "exit 0")
    assert code == 7
    assert "== make chaos" in said
    assert "== make wheel-test" not in said


def test_without_a_docker_engine_it_is_red(project: Path) -> None:
    code, said = run(project, "exit 0", "exit 1", CI_MAY_SKIP="audit")
    assert code == 3
    assert said.splitlines()[-1].startswith(f"{RED}FAILED: parts were left out")
    assert f"{RED}NOT RUN: deploy-test: " in said
    code, said = run(project, "exit 0", "exit 1")
    assert (code, said.splitlines()[-1]) == (0, f"{RED}passed, but these parts were left out: deploy-test\x1b[0m")


def test_what_may_be_left_out_is_named_in_red_all_the_same(project: Path) -> None:
    make = f'test "$1" != check || echo "{AUDIT}" >&2'
    code, said = run(project, make, "exit 0")
    assert (code, f"{RED}{AUDIT}" in said) == (0, True)
    assert said.splitlines()[-1] == f"{RED}passed, but these parts were left out: audit\x1b[0m"
    assert run(project, make, "exit 0", CI_MAY_SKIP="")[0] == 3
    assert run(project, make, "exit 1", CI_MAY_SKIP="audit,deploy-test")[0] == 0
