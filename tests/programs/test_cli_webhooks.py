"""`llmbench webhooks listen` against a stack of real processes."""

import json
import signal
from pathlib import Path
from typing import Any

from cli.exits import ExitCode
from cli.server.client import Client
from tests.support.programs.llmbench import llmbench
from tests.support.waiting import wait_until


def test_listen_hears_of_a_benchmark_and_leaves_nothing(tmp_path: Path) -> None:
    for name in ("up", "listen"):
        (tmp_path / name).mkdir()
    with llmbench(tmp_path / "up", "up", "--port", "0") as up:
        url = up.wait_for_url()
        with (
            llmbench(tmp_path / "listen", "webhooks", "listen", "--server", url, "--json") as listen,
            Client(url) as client,
        ):
            wait_until(lambda: "listening on" in listen.text)
            client.submit({"name": "heard", "model": "sim-ttft5-gap1-n2", "prompts": ["x"]})
            wait_until(lambda: "benchmark.completed" in listen.text)
            events: list[dict[str, Any]] = [
                json.loads(line) for line in listen.text.splitlines() if line.startswith("{")
            ]
            assert [event["type"] for event in events] == ["benchmark.started", "benchmark.completed"]
            assert listen.end(signal.SIGINT) == ExitCode.OK, listen.text
            assert client.webhooks() == []
        assert up.end(signal.SIGTERM) == ExitCode.OK
