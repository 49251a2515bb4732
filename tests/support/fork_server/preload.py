"""What the fork server loads: everything that API and worker import, also what they load later in a thread."""

import ast
import asyncio
import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# What `python -m` takes its time with, and what Uvicorn chooses and imports when it starts.
SERVERS = (
    "uvicorn.main",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "arq.cli",
)
# What they import at their first use.
LATER = ("aiosqlite", "asyncpg", "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.dialects.sqlite.aiosqlite")


def preload() -> None:
    """Leaves no thread, no socket and no open file."""
    # NumPy's library for linear algebra would start threads. Products of matrices take one thread in forked programs.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # The worker reads its settings when it is imported, so only what it imports is loaded.
    for name in (*SERVERS, *LATER, "api.main", *_imports_of("worker.main"), "numpy", "shared.workloads.of_spec"):
        import_module(name)
    _use_once()


def _imports_of(module: str) -> Iterator[str]:
    """The modules that this one imports when it is imported."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    for node in ast.parse(Path(spec.origin).read_bytes()).body:
        if isinstance(node, ast.ImportFrom):
            assert node.module is not None
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _use_once() -> None:
    """What costs time at its first use."""
    from sqlalchemy.orm import configure_mappers

    from api.main import create_app
    from shared.protocols.registry import PROTOCOLS
    from shared.providers.prices import PriceList
    from worker.engine.sdk_clients import warm_up

    configure_mappers()
    # Kept for all applications of a process.
    create_app().openapi()
    # A loop that does not become the current one: programs find none either.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(warm_up(PROTOCOLS))
        runner.run(PriceList().loaded())
