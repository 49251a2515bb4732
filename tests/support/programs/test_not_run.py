"""A skipped test names the program that it needs, in red."""

import pytest

from tests.support.programs.not_run import not_run_lines


def skipped(reason: str) -> pytest.TestReport:
    where = ("tests/test_x.py", 1, f"Skipped: {reason}")
    return pytest.TestReport("tests/test_x.py::test_x", where, {}, "skipped", where, "setup")


def test_each_program_has_one_line_and_other_reasons_have_none() -> None:
    reasons = [
        "no pgbouncer on the PATH, nor at TEST_PGBOUNCER",
        "no pgbouncer on the PATH, nor at TEST_PGBOUNCER",
        "nginx is not installed (`.ci/tools` fetches it)",
        "Node.js and npm are not installed",
        "npm cannot install @copilotkit/aimock: no network",
        "kubectl is not installed",
        "Chromium is not on the PATH, nor at CHROMIUM",
        "reads /proc",
    ]
    assert list(not_run_lines(map(skipped, reasons))) == [
        "NOT RUN: e2e: 1 test: Chromium is not on the PATH, nor at CHROMIUM",
        "NOT RUN: kubectl: 1 test: kubectl is not installed",
        "NOT RUN: nginx: 1 test: nginx is not installed (`.ci/tools` fetches it)",
        "NOT RUN: node: 2 tests: Node.js and npm are not installed",
        "NOT RUN: pgbouncer: 2 tests: no pgbouncer on the PATH, nor at TEST_PGBOUNCER",
    ]
