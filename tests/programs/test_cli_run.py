"""`llmbench run` with a stack of its own, against the simulator."""

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.fake_api import FakeApi, serving
from tests.support.programs.llmbench import llmbench
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(FakeApi()) as fake:
        yield fake


def test_run_measures_the_simulator_stores_the_run_and_leaves_nothing_else(tmp_path: Path) -> None:
    with llmbench(tmp_path, "run", "-m", "sim-ttft100-gap10-n8", "-p", "hi", "-n", "12", "-c", "4", "--json") as run:
        assert run.ended() == ExitCode.OK, run.text
        benchmark = json.loads(run.text)
        assert benchmark["summary"]["requests"]["succeeded"] == 12
        assert benchmark["summary"]["ttft_ms"]["min"] >= 100
        assert benchmark["summary"]["tokens"]["output_tokens"] == 12 * 8
        assert list(run.temporary.iterdir()) == []
        with sqlite3.connect(run.folder / "llmbench.db") as database:
            stored = database.execute("SELECT id, status FROM benchmarks").fetchall()
        assert stored == [(benchmark["id"], "completed")]


def test_ctrl_c_cancels_the_benchmark_shows_what_there_is_and_exits_with_130(tmp_path: Path, api: FakeApi) -> None:
    """A scripted API: the benchmark is still running when the signal comes."""
    api.reads = [(200, documents.benchmark(status="running"))]
    api.answers["POST /benchmarks/1/cancel"] = (202, documents.benchmark(status="cancelled"))
    with llmbench(tmp_path, "run", "-m", "m", "-p", "hi", "--server", api.url) as run:
        assert api.asked.wait(PATIENCE_S)
        assert run.end(signal.SIGINT) == ExitCode.INTERRUPTED
        assert api.sent("POST", "/benchmarks/1/cancel") == [None]
        assert "benchmark 1: cancelled" in run.text
        assert "TTFT (ms)" in run.text
        assert "Traceback" not in run.text
