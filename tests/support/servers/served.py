"""An application behind a real server: for answers that do not end, which httpx2's own transport would collect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn
from fastapi import FastAPI

from api.main import create_app
from shared.providers.key_ring import KeyRing
from shared.settings import Settings
from tests.support.waiting import PATIENCE_S, until


@asynccontextmanager
async def served_api(settings: Settings) -> AsyncIterator[tuple[httpx2.AsyncClient, FastAPI]]:
    """The API on a port of its own, in the test's loop, as Uvicorn serves it."""
    app = create_app(settings, KeyRing({}))
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http="h11", log_config=None, proxy_headers=False, timeout_graceful_shutdown=5)
    )
    serving = asyncio.create_task(server.serve())

    async def has_begun() -> bool:
        return server.started or serving.done()

    await until(has_begun)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            yield client, app
    finally:
        server.should_exit = True
        await serving
