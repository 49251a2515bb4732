"""The quick part of `make abuse`: hostile requests against a real API process."""

import sys
from pathlib import Path

import pytest

from benchmarks.abuse.run import abuse


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_hostile_request_does_harm(tmp_path: Path) -> None:
    report = abuse(tmp_path, f"sqlite:///{tmp_path / 'abuse.db'}", minutes=0, quick=True, progress=print)
    assert len(report.measured) > 60
    assert report.broken() == []
