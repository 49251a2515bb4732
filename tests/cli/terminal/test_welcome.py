"""What `llmbench up` prints when it is ready."""

import os
import subprocess

from cli.terminal.welcome import example


def test_the_example_sends_the_key_where_there_are_keys() -> None:
    text = "\n".join(line.text for line in example("http://127.0.0.1:9", needs_key=True))
    assert '-H "Authorization: Bearer $LLMBENCH_API_KEY"' in text
    # As a shell reads it, with a curl that only shows what it was given.
    script = f"curl() {{ printf '%s\\n' \"$@\"; }}\n{text}"
    environment = {**os.environ, "LLMBENCH_API_KEY": "lbk_x"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "Authorization: Bearer lbk_x" in done.stdout.splitlines()


def test_without_keys_it_sends_none() -> None:
    assert "Authorization" not in "\n".join(line.text for line in example("http://127.0.0.1:9"))
