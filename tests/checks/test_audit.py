"""The audit tells "nothing found" from "nobody could be asked"."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from checks.audit import main

CLEAN = {"name": "fastapi", "version": "1", "vulns": []}
WRONG = {"name": "h11", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}]}
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited"}


class PipAudit:
    """Answers in the place of the program, for each service."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self._answers = answers

    def __call__(self, command: Sequence[str]) -> str:
        service = command[command.index("--vulnerability-service") + 1]
        return json.dumps({"dependencies": self._answers[service]}) if service in self._answers else "Traceback"


def test_nothing_found_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], PipAudit(pypi=[CLEAN, SKIPPED])) == 0
    shown = capsys.readouterr()
    assert shown.out == "audit: 1 packages, no known vulnerability (pypi)\n"
    assert "knows nothing of idna" in shown.err


def test_a_vulnerability_fails_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], PipAudit(osv=[CLEAN, WRONG])) == 1
    assert "h11 0.1: PYSEC-1 (fixed in 0.2)" in capsys.readouterr().err


@pytest.mark.parametrize("answers", [{}, {"pypi": [SKIPPED]}], ids=["no answer", "everything left out"])
def test_without_an_answer_it_says_that_nothing_is_known(
    answers: dict[str, list[dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], PipAudit(**answers)) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("NOT RUN: audit: ")
    assert shown.out == ""
    assert main(["--strict"], PipAudit(**answers)) == 1
