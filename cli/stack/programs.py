"""Command lines of the stack's Python programs."""

import sys
from importlib.util import find_spec
from pathlib import Path

# -P: a folder `api` or `shared` where the user stands must not be taken for ours.
_PYTHON = (sys.executable, "-P", "-m")


def simulator() -> list[str]:
    return [*_PYTHON, "simulator", "--port", "0"]


def api(host: str, port: int) -> list[str]:
    """`uvicorn --factory api.main:create_app`."""
    return [
        *_PYTHON,
        *("cli.child", "api.main", "uvicorn", "--factory", "api.main:create_app"),
        *("--host", host, "--port", str(port), "--workers", "1", "--timeout-graceful-shutdown", "5"),
        # Uvicorn would put the current folder first.
        *("--app-dir", str(_home())),
    ]


def worker() -> list[str]:
    """`arq worker.main.WorkerSettings`. `worker.main` itself reads the settings where it is imported."""
    return [*_PYTHON, "cli.child", "worker.dispatcher", "arq", "worker.main.WorkerSettings"]


def _home() -> Path:
    spec = find_spec("cli")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package `cli` has no place on the disk")
    return Path(spec.origin).parent.parent
