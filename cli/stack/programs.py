"""Command lines of the stack's Python programs."""

import sys
from importlib.util import find_spec
from pathlib import Path

# -P: Python must not import a folder `api` or `shared` of the user's current folder in place of ours.
_PYTHON = (sys.executable, "-P", "-m")
# h11, because httptools, Uvicorn's default where it is installed, takes a head of any size into memory.
UVICORN = ("uvicorn", "--factory", "api.main:create_app", "--http", "h11")


def simulator() -> list[str]:
    return [*_PYTHON, "simulator", "--port", "0"]


def api(host: str, port: int) -> list[str]:
    """`uvicorn --factory api.main:create_app`."""
    return [
        *_PYTHON,
        *("cli.stack.child", "api.main", *UVICORN),
        *("--host", host, "--port", str(port), "--workers", "1", "--timeout-graceful-shutdown", "5"),
        # The API reads the headers of proxies itself, and needs the peer's own address for that (TRUSTED_PROXIES).
        "--no-proxy-headers",
        # By default Uvicorn puts the current folder first.
        *("--app-dir", str(_home())),
    ]


def worker() -> list[str]:
    """`arq worker.main.WorkerSettings`. It preloads another module: `worker.main` reads the settings at import."""
    return [*_PYTHON, "cli.stack.child", "worker.dispatcher", "arq", "worker.main.WorkerSettings"]


def _home() -> Path:
    spec = find_spec("cli")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package `cli` is not in a folder")
    return Path(spec.origin).parent.parent
