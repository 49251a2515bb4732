"""Benchmarks for the pages' tests."""

import httpx2
import pytest

from tests.api.documents import submit
from tests.shared.db.rows import Tables


@pytest.fixture
async def three(api: httpx2.AsyncClient, tables: Tables) -> httpx2.AsyncClient:
    """A running, a cancelled and a pending one, of different names, models, providers and teams."""
    await submit(api, name="Haiku", model="claude-3-haiku-20240307", metadata={"team": "search"})
    await submit(api, name="Birnen", model="gpt-4o-mini", metadata={"team": "chat"})
    await submit(api, name="haiku again", model="gpt-4o-mini", provider="simulator-openai")
    await tables.claimed()
    await api.post("/benchmarks/2/cancel")
    return api
