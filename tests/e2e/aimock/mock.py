"""Installs and starts the npm package `@copilotkit/aimock`, at the version of the lock file, in a temporary folder."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.programs.deployment import Program
from tests.support.programs.ports import free_port
from tests.support.waiting import until

_HERE = Path(__file__).parent
_INSTALL_S = 120


def installed_in(folder: Path) -> Path:
    """The program. Skips the test where it cannot be installed."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("Node.js and npm are not installed")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install @copilotkit/aimock within {_INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"npm cannot install @copilotkit/aimock: {done.stderr.strip()[:300]}")
    return folder / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"


@asynccontextmanager
async def running_mock(program: Path, log: Path) -> AsyncIterator[str]:
    """The URL of a mock that answers from `fixtures.json`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    node = shutil.which("node") or "node"
    command = [
        node,
        str(program),
        "--port",
        str(port),
        "--fixtures",
        str(_HERE / "fixtures.json"),
        "--validate-on-load",
    ]
    mock = Program("aimock", command, {}, log)

    async def answers() -> bool:
        assert mock.running, f"it has ended: see {log}"
        try:
            async with httpx2.AsyncClient() as client:
                return (await client.get(f"{url}/health")).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        await until(answers)
        yield url
    finally:
        mock.kill()
