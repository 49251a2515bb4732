"""The receivers of docs/webhooks.md, run as they stand there, against what workers really send."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.waiting import Deadline, pause
from shared.clock import SystemClock
from shared.db.deliveries import Attempt, Due
from shared.network.ssrf import SsrfGuard, networks
from shared.webhooks.message import new_secret
from shared.webhooks.secret_box import SecretBox, new_key
from tests.support.postgresql import free_port
from worker.webhooks.sender import Sender

PAGE = Path(__file__).parents[2] / "docs/webhooks.md"
BOX = SecretBox([new_key()])


@contextmanager
def running(language: str, command: list[str], folder: Path, secret: str) -> Iterator[tuple[str, Path]]:
    """The page's program of that language; its URL and what it prints."""
    (code,) = re.findall(rf"```{language}\n(?:#|//) (?:receiver\.\w+)\n(.+?)```", PAGE.read_text(), re.DOTALL)
    program = folder / ("receiver.py" if language == "python" else "receiver.mjs")
    program.write_text(code)
    port, printed = free_port(), folder / "printed.txt"
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    with printed.open("wb") as output, subprocess.Popen([*command, program], env=environment, stdout=output) as process:
        try:
            yield f"http://127.0.0.1:{port}/", printed
        finally:
            process.kill()


def due(url: str, secret: str, event_id: str) -> Due:
    data = {"id": 7, "sequence": 2, "name": "Grüße 日本"}
    sealed = [(BOX.seal(secret), None)]
    return Due(
        delivery_id=1,
        endpoint_id=1,
        number=1,
        step=0,
        url=url,
        secrets=sealed,
        event_id=event_id,
        event_type="benchmark.completed",
        event_at=datetime(2025, 1, 15, tzinfo=UTC),
        due_at=None,
        data=data,
    )


async def attempt(url: str, secret: str, event_id: str) -> Attempt:
    """As a worker makes it, again until the program listens."""
    sender = Sender(SsrfGuard(networks("127.0.0.0/8")), BOX, SystemClock(), lambda: 0)
    deadline = Deadline(15)
    while True:
        made = await sender.attempt(due(url, secret, event_id))
        if made.status_code is not None or deadline.passed:
            return made
        pause(0.05)


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("python", [sys.executable]),
        pytest.param(
            "js", ["node"], marks=pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
        ),
    ],
)
async def test_a_receiver_of_the_page_takes_what_is_signed_once_and_refuses_the_rest(
    tmp_path: Path, language: str, command: list[str]
) -> None:
    secret = new_secret()
    with running(language, command, tmp_path, secret) as (url, printed):
        assert (await attempt(url, secret, "msg_1")).status_code == 204
        assert (await attempt(url, secret, "msg_1")).status_code == 204
        assert (await attempt(url, new_secret(), "msg_2")).status_code == 401
        deadline = Deadline(5)
        while not printed.read_text() and not deadline.passed:
            pause(0.05)
        assert printed.read_text() == "benchmark.completed 7\n"
