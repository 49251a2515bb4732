"""`llmbench run` beside `up` and beside another `run` in one folder: each measures the server that is meant."""

import json
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cli.exits import ExitCode
from shared.db.schema.migrate import upgrade
from tests.support.programs.deployment import SimulatorProcess, simulator_process
from tests.support.programs.llmbench import Program, llmbench

RUN = ("run", "-m", "sim-ttft5-gap1-n4", "--json", "-n", "4")


def own(simulator: SimulatorProcess) -> str:
    """The configuration of an endpoint `mine` at this simulator."""
    return json.dumps([{"name": "mine", "protocol": "openai", "base_url": f"{simulator.url}/v1"}])


def folder(path: Path, name: str, work: Path) -> Path:
    """A folder for the outputs of one program that works in the folder `work`."""
    (path / name).mkdir()
    (path / name / "work").symlink_to(work, target_is_directory=True)
    return path / name


def document(run: Program) -> dict[str, Any]:
    """What `run --json` printed."""
    assert run.ended() == ExitCode.OK, run.text
    found: dict[str, Any] = json.loads(run.text[run.text.index("{\n") :])
    return found


def test_run_beside_an_up_that_does_not_know_the_endpoint(tmp_path: Path) -> None:
    """The order of the README: `up` first, and the own endpoint later, in the environment of `run` only."""
    work = tmp_path / "work"
    work.mkdir()
    with ExitStack() as parts:
        servers = [tmp_path / name for name in ("one", "two")]
        for server in servers:
            server.mkdir()
        one, two = (parts.enter_context(simulator_process(server)) for server in servers)
        up = parts.enter_context(llmbench(folder(tmp_path, "up", work), "up", "--port", "0", PROVIDERS=own(one)))
        url = up.wait_for_url()
        for number in range(3):
            # Of the first `mine`, which `up` knows, and of another one by turns.
            meant, providers = (two, own(two)) if number % 2 else (one, own(one))
            place = folder(tmp_path, f"run-{number}", work)
            with llmbench(place, *RUN, "--provider", "mine", "-p", f"{number}", PROVIDERS=providers) as run:
                done = document(run)
                used = f"using the server that is up in this folder: {url}" in run.text
                assert used is (meant is one), run.text
                assert used or "its endpoint 'mine'" in run.text
            assert done["target"]["base_url"] == done["endpoint"]["base_url"] == f"{meant.url}/v1"
            assert done["interrupted"] is False
        assert (len(one.requests(8)), len(two.requests(4))) == (8, 4)
        with llmbench(folder(tmp_path, "list", work), "list", "--json") as listed:
            assert listed.ended() == ExitCode.OK, listed.text
            assert {item["status"] for item in json.loads(listed.text)} == {"completed"}
        assert up.end(signal.SIGTERM) == ExitCode.OK, up.text
    assert {path.name for path in work.iterdir()} == {"llmbench.db", "llmbench.key"}


def test_runs_at_the_same_instant_in_one_folder(tmp_path: Path) -> None:
    """Each has a stack of its own on the same database, and none takes or continues the benchmark of another."""
    work = tmp_path / "work"
    work.mkdir()
    upgrade(f"sqlite:///{work / 'llmbench.db'}")
    together = threading.Barrier(3)
    with ExitStack() as parts:
        servers = [tmp_path / name for name in ("one", "two")]
        for server in servers:
            server.mkdir()
        one, two = (parts.enter_context(simulator_process(server)) for server in servers)
        # Two of the same endpoint, and one of another by the same name.
        meant = [one, one, two]
        places = [folder(tmp_path, f"run-{number}", work) for number in range(3)]

        def measure(place: Path, server: SimulatorProcess) -> dict[str, Any]:
            together.wait()
            with llmbench(place, *RUN, "--provider", "mine", "-p", "x", PROVIDERS=own(server)) as run:
                return document(run)

        with ThreadPoolExecutor(3) as threads:
            documents = list(threads.map(measure, places, meant))
        assert [done["target"]["base_url"] for done in documents] == [f"{server.url}/v1" for server in meant]
        assert [done["interrupted"] for done in documents] == [False] * 3
        assert [len(done["segments"]) for done in documents] == [1] * 3
        assert (len(one.requests(8)), len(two.requests(4))) == (8, 4)
    with sqlite3.connect(work / "llmbench.db") as database:
        assert database.execute("SELECT count(*) FROM benchmarks WHERE status = 'completed'").fetchall() == [(3,)]


def test_the_next_up_goes_on_with_what_a_killed_one_left(tmp_path: Path) -> None:
    """Its simulator has another port, and is the same endpoint all the same."""
    work = tmp_path / "work"
    work.mkdir()
    environment = {"LEASE_S": "2", "SWEEP_S": "0.5"}
    with llmbench(folder(tmp_path, "first", work), "up", "--port", "0", **environment) as up:
        up.wait_for_url()
        place = folder(tmp_path, "run", work)
        with llmbench(place, "run", "-m", "sim-ttft100-gap1-n4", "-p", "x", "-n", "100", "-c", "1", "--detach") as run:
            assert run.ended() == ExitCode.OK, run.text
            number = run.text.split()[-1]
        up.end(signal.SIGKILL)
    assert (work / "llmbench.up").exists()
    with llmbench(folder(tmp_path, "second", work), "up", "--port", "0", **environment) as up:
        up.wait_for_url()
        place = folder(tmp_path, "again", work)
        with llmbench(place, "run", "-m", "sim-ttft5-gap1-n4", "-p", "x", "--json") as run:
            assert document(run)["status"] == "completed"
            assert "using the server that is up in this folder" in run.text
        with llmbench(folder(tmp_path, "show", work), "show", number, "--json") as shown:
            assert shown.ended() == ExitCode.OK, shown.text
            left = json.loads(shown.text)
        assert left["status"] in ("running", "completed")
        assert left["notices"] == []
