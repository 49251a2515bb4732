"""`llmbench export`, `import`, `report`: files are whole or not there, and nothing is replaced by mistake."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi

CSV = "id,outcome\r\n1,succeeded\r\n"


@pytest.fixture
def exporting(api: FakeApi) -> FakeApi:
    api.answers["GET /benchmarks/1/export"] = (200, CSV)
    return api


def asked(api: FakeApi) -> list[str]:
    return [target for _, target, _ in api.requests]


def test_an_export_is_written_to_stdout_or_to_a_file(exporting: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    assert llmbench("export", "1").stdout.replace("\r", "") == CSV.replace("\r", "")
    target = tmp_path / "run.jsonl"
    run = llmbench(
        "export", "1", "-o", str(target), "--include", "response,prompt", "--include", "timeline", "--warmup"
    )
    assert (run.exit_code, run.stdout, target.read_bytes()) == (0, "", CSV.encode())
    assert f"{len(CSV)} bytes" in run.stderr
    query = "format=jsonl&include=response%2Cprompt%2Ctimeline&warmup=true"
    assert asked(exporting) == ["/benchmarks/1/export?format=csv", f"/benchmarks/1/export?{query}"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_full_disk_is_one_line(exporting: FakeApi, llmbench: Llmbench) -> None:
    run = llmbench("export", "1", "-o", "/dev/full", "--force")
    assert (run.exit_code, run.stderr) == (ExitCode.USAGE, "error: cannot write /dev/full: No space left on device\n")
    command = [sys.executable, "-m", "cli.main", "export", "1", "--server", exporting.url]
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    told = "error: input or output failed: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (ExitCode.USAGE, told)


def test_a_file_is_replaced_only_with_force(exporting: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    target = tmp_path / "run.csv"
    target.write_text("mine")
    run = llmbench("export", "1", "-o", str(target))
    assert (run.exit_code, target.read_text(), asked(exporting)) == (ExitCode.USAGE, "mine", [])
    assert "--force" in run.stderr
    assert llmbench("export", "1", "-o", str(target), "--force").exit_code == 0
    assert target.read_bytes() == CSV.encode()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["export", "1", "--include", "everything"], "timeline"),
        (["export", "1", "--format", "parquet"], "--output"),
        (["export", "1", "-o", "/no/such/folder/x.csv"], "/no/such/folder"),
        (["export", "1", "-o", "/"], "folder"),
        (["import", "/no/such/file.json"], "file.json"),
    ],
)
def test_a_wrong_command_asks_no_server(api: FakeApi, llmbench: Llmbench, arguments: list[str], word: str) -> None:
    run = llmbench(*arguments)
    assert (run.exit_code, asked(api)) == (ExitCode.USAGE, [])
    assert word in run.stderr


def test_what_the_server_refuses_leaves_no_file(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    api.answers["GET /benchmarks/9/export"] = (404, documents.problem(404, "there is no benchmark 9"))
    run = llmbench("export", "9", "-o", str(tmp_path / "x.csv"))
    assert (run.exit_code, list(tmp_path.iterdir())) == (ExitCode.USAGE, [])
    assert "there is no benchmark 9" in run.stderr


@pytest.fixture
def breaking() -> Iterator[str]:
    """The URL of a server that breaks off in the middle of a file."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n4\r\nid\r\n\r\n"
                )

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_file_that_breaks_off_is_an_error_and_is_not_there(breaking: str, llmbench: Llmbench, tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("before")
    run = llmbench("export", "1", "-o", str(target), "--force", "--server", breaking)
    assert run.exit_code == ExitCode.UNREACHABLE
    assert "broke" in run.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.csv", "before")]


def test_an_import_names_the_new_benchmark_and_one_that_was_there(
    api: FakeApi, llmbench: Llmbench, tmp_path: Path
) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"format": "llmbench-benchmark"}))
    api.answers["POST /import"] = (201, {"id": 7, "name": "Haiku\x1b[31m"})
    run = llmbench("import", str(file))
    assert (run.exit_code, run.stdout) == (0, "benchmark 7: Haiku\ufffd[31m\n")
    assert api.sent("POST", "/import") == [{"format": "llmbench-benchmark"}]
    api.answers["POST /import"] = (200, {"id": 7, "name": "Haiku"})
    run = llmbench("import", str(file))
    assert "imported before" in run.stderr
    assert json.loads(llmbench("import", str(file), "--json").stdout)["id"] == 7


def test_a_report_has_a_file_of_its_own(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    api.answers["GET /ui/report"] = (200, "<!doctype html>")
    target = tmp_path / "r.html"
    assert llmbench("report", "1", "2", "-o", str(target)).exit_code == 0
    assert target.read_text() == "<!doctype html>"
    assert asked(api) == ["/ui/report?ids=1%2C2"]
