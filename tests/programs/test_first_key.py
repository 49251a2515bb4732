"""From a new database to an API that others may reach: refused without a key, started with one."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from shared.settings import process_environment
from tests.support.programs.deployment import Program, answers
from tests.support.programs.ports import free_port
from tests.support.waiting import PATIENCE_S, until

UVICORN = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app", "--http", "h11", "--no-proxy-headers"]
LLMBENCH = [sys.executable, "-m", "cli.main"]


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    return process_environment(
        DATABASE_URL=f"sqlite:///{tmp_path / 'test.db'}",
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
        SECRET_KEY="p" * 40,
        LOG_LEVEL="INFO",
        LLMBENCH_API_KEY="",
    )


def llmbench(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command prints on stdout."""
    done = subprocess.run([*LLMBENCH, *arguments], env=dict(environment), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("address", [["--host", "0.0.0.0"], ["--uds"]], ids=["every address", "a Unix socket"])
async def test_others_reach_it_only_with_a_key(
    tmp_path: Path, environment: Mapping[str, str], address: list[str]
) -> None:
    llmbench(environment, "migrate")
    port, socket = free_port(), str(tmp_path / "api.sock")
    where = [*address, socket] if address == ["--uds"] else [*address, "--port", str(port)]
    refused = Program("refused", [*UVICORN, *where], environment, tmp_path / "refused.log", cwd=tmp_path, fresh=True)
    try:
        assert await refused.ended() == 3
        log = refused.log.read_text()
        assert "Make a first key with `llmbench keys bootstrap`" in log
        assert "Traceback" not in log
    finally:
        refused.kill()
    key = llmbench(environment, "keys", "bootstrap")
    api = Program("api", [*UVICORN, *where], environment, tmp_path / "api.log", cwd=tmp_path)
    transport = httpx2.AsyncHTTPTransport(uds=socket) if address == ["--uds"] else None
    url = "http://localhost" if transport else f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(transport=transport, base_url=url, timeout=PATIENCE_S) as client:
            await until(lambda: answers(client))
            assert (await client.get("/benchmarks")).status_code == 401
            headers = {"authorization": f"Bearer {key}"}
            assert (await client.get("/benchmarks", headers=headers)).status_code == 200
            if transport is None:
                mine = {**environment, "LLMBENCH_SERVER": url, "LLMBENCH_API_KEY": key}
                other = llmbench(mine, "keys", "create", "reader", "--scope", "read", "--owner", "acme")
                told = (await client.get("/whoami", headers={"authorization": f"Bearer {other}"})).json()
                assert (told["owner"], told["scope"]) == ("acme", "read")
                llmbench(mine, "keys", "revoke", told["key_id"])
                gone = await client.get("/whoami", headers={"authorization": f"Bearer {other}"})
                assert (gone.status_code, gone.json()["detail"]) == (401, "the API key was revoked")
    finally:
        api.kill()
    for text in (api.log.read_text(), (tmp_path / "test.db").read_bytes().decode("latin-1")):
        assert key[13:] not in text
