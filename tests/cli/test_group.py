"""What the system says of streams and files ends a command in one line and exit code 2."""

import os
import subprocess
import sys

import pytest

from cli.exits import ExitCode


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("delete 1 <&-", "stdin is no terminal"),
        ("run -m sim --prompts - <&-", "holds no prompt"),
        ("version >&-", "stdout is closed"),
        ("version >/dev/full", "No space left on device"),
        ("--help >/dev/full", "No space left on device"),
        ("webhooks key >/dev/full", "No space left on device"),
        ("version >/dev/full 2>/dev/full", ""),
        ("version >&- 2>&-", ""),
    ],
)
def test_a_stream_that_is_closed_or_full_is_one_line(command: str, words: str) -> None:
    ended = _shell(command)
    assert ended.returncode == ExitCode.USAGE, ended.stderr
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == bool(words)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    assert _shell("--help | true").stderr == ""
    ended = _shell("version 2>&-")
    assert (ended.returncode, ended.stdout.split()[0]) == (ExitCode.OK, "llmbench")


def _shell(command: str) -> subprocess.CompletedProcess[str]:
    script = f"{sys.executable} -m cli.main {command}"
    # With buffers, as users have it: they are also written at the end of Python.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=environment)
