"""The receivers of docs/webhooks.md, run as they stand there, against what workers really send."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.db.webhooks.deliveries import Attempt
from shared.network.ssrf import SsrfGuard
from shared.webhooks.message import new_secret
from tests.support.programs.ports import free_port
from tests.support.servers.receiver import LOOPBACK
from tests.support.waiting import until, wait_until
from tests.worker.webhooks.sending import BOX, due
from worker.webhooks.sender import Sender

PAGE = Path(__file__).parents[2] / "docs/webhooks.md"


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


async def attempt(url: str, secret: str, event_id: str) -> Attempt:
    """As a worker makes it, again until the program listens."""
    sender = Sender(SsrfGuard(LOOPBACK), BOX, SystemClock(), lambda: 0)

    async def answered() -> Attempt | None:
        made = await sender.attempt(due(url, secret, event_id))
        return made if made.status_code is not None else None

    return await until(answered)


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
        wait_until(printed.read_text)
        assert printed.read_text() == "benchmark.completed 7\n"
