"""What a terminal gets, in a real pseudo-terminal, and what FORCE_COLOR and NO_COLOR change."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from cli.terminal.text_width import width
from shared.settings import process_environment
from tests.cli import documents
from tests.cli.fake_api import FakeApi


def _in_terminal(api: FakeApi, columns: int, *arguments: str, **env: str) -> str:
    """All that `llmbench arguments…` writes to a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        env=_environment(api, **{"TERM": "xterm-256color", **env}),
    )
    os.close(slave)
    written = b""
    while True:
        try:
            part = os.read(master, 65_536)
        except OSError:  # the terminal's other end is closed
            break
        if not part:
            break
        written += part
    process.wait()
    os.close(master)
    return written.decode().replace("\r\n", "\n")


def _environment(api: FakeApi, **changes: str) -> dict[str, str]:
    clean = process_environment()
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        clean.pop(name, None)
    return {**clean, "LLMBENCH_SERVER": api.url, **changes}


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("arguments", [("list",), ("show", "1"), ("show", "1", "--results", "--explain")])
def test_no_line_is_wider_than_the_terminal(api: FakeApi, columns: int, arguments: tuple[str, ...]) -> None:
    api.answers["GET /benchmarks"] = (200, {"items": [documents.benchmark(123)], "next_cursor": None})
    text = _in_terminal(api, columns, *arguments, NO_COLOR="1", TERM="dumb")
    assert "Haiku" in text
    assert [line for line in text.splitlines() if width(line) > columns] == []


def test_a_terminal_gets_colour_and_no_color_takes_it_away(api: FakeApi) -> None:
    failed = documents.benchmark(status="failed", summary=documents.summary(succeeded=1, errored=1))
    api.reads = [(200, failed)]
    red = "\x1b[1;31m"
    assert red in _in_terminal(api, 80, "show", "1")
    assert red not in _in_terminal(api, 80, "show", "1", NO_COLOR="1")
    assert red not in _in_terminal(api, 80, "show", "1", NO_COLOR="1", FORCE_COLOR="1")


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_a_pipe_gets_colour_only_if_it_is_forced(api: FakeApi, env: dict[str, str], coloured: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "show", "1"], env=_environment(api, **env), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert ("\x1b[" in done.stdout) == coloured
