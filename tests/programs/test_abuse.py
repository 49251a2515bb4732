"""The quick part of `make abuse`: hostile requests against a real API process."""

import os
import signal
import sys
from pathlib import Path

import pytest

from benchmarks.abuse.run import abuse


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_hostile_request_does_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Under coverage the API would be measured together with its tracer.
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        monkeypatch.delenv(name, raising=False)
    report = abuse(tmp_path, f"sqlite:///{tmp_path / 'abuse.db'}", minutes=0, quick=True, progress=print)
    assert len(report.measured) > 60
    assert report.broken() == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_api_that_ends_is_reported(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_after_the_first(text: str) -> None:
        if not killed:
            killed.append(_api_pid())
            os.kill(killed[0], signal.SIGKILL)

    database = f"sqlite:///{tmp_path / 'abuse.db'}"
    report = abuse(tmp_path, database, minutes=0, quick=True, progress=kill_after_the_first)
    assert len(killed) == 1
    assert len(report.measured) <= 2
    assert "the API ended" in report.broken()


def _api_pid() -> int:
    """The API that this process has started."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    (pid,) = (int(child) for child in children if b"uvicorn" in Path(f"/proc/{child}/cmdline").read_bytes())
    return pid
