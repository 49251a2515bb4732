"""`llmbench up` with real processes."""

import json
import signal
import socket
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from cli.exits import ExitCode
from cli.server.client import Client
from cli.stack.restarts import MOST
from tests.support.programs.llmbench import Program, gone, llmbench
from tests.support.waiting import PATIENCE_S, wait_until

# Valkey, simulator, API, worker, its measuring process.
PARTS = 5


def test_up_is_ready_runs_its_own_curl_example_and_sigterm_leaves_nothing(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0") as up:
        url = up.wait_for_url()
        children = up.wait_for_children(PARTS)
        assert len(children) == PARTS
        with Client(url) as client:
            client.check_ready()
            answer = _paste(up.text)
            assert answer["status"] == "completed"
            assert "simulator" in answer["notices"][0]
            assert [item["id"] for item in client.benchmarks(limit=5)[0]] == [answer["id"]]
        assert up.end(signal.SIGTERM) == ExitCode.OK, up.text
        assert gone(children)
        assert list(up.temporary.iterdir()) == []
        assert {path.name for path in up.folder.iterdir()} == {"llmbench.db", "llmbench.key"}
        assert "Traceback" not in up.text


def test_a_killed_up_takes_its_children_along(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0") as up:
        children = up.wait_for_children(PARTS)
        up.end(signal.SIGKILL)
        assert psutil.wait_procs(children, timeout=PATIENCE_S)[1] == []


def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0") as up:
        # The last to come is the worker's measuring process, when the worker is all but ready.
        children = up.wait_for_children(PARTS - 1)
        assert up.end(signal.SIGINT) == ExitCode.INTERRUPTED
        assert gone(children)
        assert list(up.temporary.iterdir()) == []


def test_a_part_that_dies_is_named_with_its_log_and_ends_the_rest(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0") as up:
        children = up.wait_for_children(PARTS)
        up.child("simulator").kill()
        assert up.ended() == ExitCode.UNREACHABLE
        assert gone(children)
        assert "simulator ended by itself (killed by signal 9)" in up.text
        assert "simulator listening on" in up.text
        assert list(up.temporary.iterdir()) == []


def test_a_worker_that_dies_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0", "--workers", "2") as up:
        with Client(up.wait_for_url()) as client:
            before = {worker["id"] for worker in client.workers()}
            _workers(up)[0].kill()
            wait_until(lambda: "is started again" in up.text)
            assert "ended by itself (killed by signal 9); it starts again in 1 s (death 1 of 5 in a row)" in up.text
            wait_until(lambda: {worker["id"] for worker in client.workers()} - before)
            client.check_ready()
        assert up.end(signal.SIGTERM) == ExitCode.OK, up.text
        assert list(up.temporary.iterdir()) == []


def test_a_worker_that_dies_again_and_again_ends_up_with_its_log(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0") as up:
        up.wait_for_url()
        for death in range(1, MOST + 1):
            wait_until(lambda: _workers(up))
            _workers(up)[0].kill()
            if death < MOST:
                wait_until(partial(_says, up, f"death {death} of {MOST}"))
        assert up.ended() == ExitCode.UNREACHABLE
        assert f"worker ended by itself {MOST} times in a row, the last time: killed by signal 9" in up.text
        assert "the end of its log:" in up.text


def test_a_port_in_use_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with llmbench(tmp_path, "up", "--port", str(port)) as up:
            assert up.ended() == ExitCode.USAGE
            assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in up.text
            assert list(up.folder.iterdir()) == []


def test_of_two_that_start_at_once_in_one_folder_one_wins_and_the_other_says_so(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    arguments = ("up", "--port", "0", "--data-dir", str(tmp_path / "data"))
    with llmbench(folders[0], *arguments) as one, llmbench(folders[1], *arguments) as two:
        wait_until(lambda: any(up.process.poll() is not None or "is up at" in up.text for up in (one, two)))
        winner, loser = (one, two) if one.process.poll() is None else (two, one)
        assert loser.ended() == ExitCode.USAGE
        assert "another `llmbench up` uses the database of the folder" in loser.text
        with Client(winner.wait_for_url()) as client:
            client.check_ready()
        assert winner.end(signal.SIGTERM) == ExitCode.OK, winner.text
        assert {path.name for path in (tmp_path / "data").iterdir()} == {"llmbench.db", "llmbench.key"}


def test_a_redis_that_is_set_but_away_is_named_at_once(tmp_path: Path) -> None:
    with llmbench(tmp_path, "up", "--port", "0", REDIS_URL="redis://:secret@127.0.0.1:1/0") as up:
        assert up.ended() == ExitCode.UNREACHABLE
        assert "no server answers at REDIS_URL" in up.text
        assert "secret" not in up.text


def _workers(up: Program) -> list[psutil.Process]:
    """The workers that run. A dead one may be there for a moment, without a command line."""
    found = []
    for child in up.children:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found += [child] if "worker.main.WorkerSettings" in child.cmdline() else []
    return found


def _says(up: Program, words: str) -> bool:
    return words in up.text


def _paste(text: str) -> dict[str, object]:
    """What a shell makes of the example that `up` prints."""
    start = text.index("curl ")
    command = text[start : text.index("}'", start) + 2]
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
