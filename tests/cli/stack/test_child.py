"""A program of the embedded stack: it loads first, and gets its environment later."""

import json
import os
import subprocess
import sys

SHOW = "tests.cli.show_environment"


def child(stdin: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.stack.child", "colorsys", SHOW, "argument"]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def test_it_begins_in_the_environment_that_it_is_given() -> None:
    given = {**os.environ, "DATABASE_URL": "sqlite:///ü.db"}
    given.pop("HOME", None)
    seen = json.loads(child(json.dumps(given) + "\n").stdout)
    assert seen == {"environment": given, "arguments": ["argument"], "preloaded": True}


def test_it_ends_with_a_stack_that_ended_before() -> None:
    for broken_off in ("", '{"DATABASE_URL": '):
        done = child(broken_off)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "the stack ended before it began\n"
