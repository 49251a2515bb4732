"""A database of an older schema with finished, interrupted and running benchmarks, migrated and read by today's API.

`schema_0007.json` holds rows as the version of that schema stored them, and the documents that its API answered.
"""

import asyncio
import base64
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, text

from shared.db.connection.database import Database
from shared.db.schema.migrate import downgrade, upgrade
from shared.db.tables.all_tables import METADATA
from shared.numbers.rounding import rounded
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.service import make_settings, running_api, running_worker
from tests.support.waiting import PATIENCE_S
from worker.engine.children import Children

pytestmark = pytest.mark.own_database

OLD = orjson.loads((Path(__file__).parent / "schema_0007.json").read_bytes())
RUNNING = 6


def stored(value: Any) -> Any:
    """Dates, dollars and bytes, which JSON has not."""
    match value:
        case {"at": str(at)}:
            return datetime.fromisoformat(at)
        case {"usd": str(amount)}:
            return Decimal(amount)
        case {"bytes": str(data)}:
            return base64.b64decode(data)
        case _:
            return value


async def fill(database: Database) -> None:
    async with database.write() as session:
        for name, rows in OLD["rows"].items():
            table = METADATA.tables[name]
            for row in rows:
                values = {column: stored(value) for column, value in row.items()}
                # Only columns that the old schema has.
                await session.execute(insert(table).values(values))
        if not database.is_sqlite:
            for name in ("benchmarks", "results"):
                newest = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"
                await session.execute(text(newest))


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """What the old document says and the new one does not, or says otherwise. What is new is no difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            if name not in new:
                yield f"{path}.{name} is missing"
            else:
                yield from differences(value, new[name], f"{path}.{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (mine, its) in enumerate(zip(old, new, strict=True)):
            yield from differences(mine, its, f"{path}[{number}]")
    elif (rounded(old) if isinstance(old, float) else old) != new:
        yield f"{path}: {old!r} became {new!r}"


async def test_old_summaries_read_as_before_and_a_run_goes_on(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    await asyncio.to_thread(downgrade, database_url, "0007")
    await fill(database)
    await asyncio.to_thread(upgrade, database_url)
    settings = make_settings(database_url, redis_url, simulator.base_url, lease_s=20)
    async with running_api(settings, KeyRing({})) as client:
        for old in OLD["documents"]:
            new = (await client.get(f"/benchmarks/{old['id']}")).json()
            if old["id"] == RUNNING:
                # More results were stored after it was asked.
                old, new = ({**each, "progress": None, "results": None} for each in (old, new))
            assert list(differences(old, new)) == []
        # Old benchmarks can be found by their metadata too.
        teams = [old["id"] for old in OLD["documents"] if old["metadata"].get("team") == "search"]
        found = (await client.get("/benchmarks", params={"metadata": "team:search"})).json()["items"]
        assert sorted(item["id"] for item in found) == teams != []
        async with running_worker(settings, KeyRing({}), children):
            done = await client.get(f"/benchmarks/{RUNNING}", headers={"Prefer": "wait=30"})
            async with asyncio.timeout(PATIENCE_S):
                while (document := done.json())["status"] == "running":
                    done = await client.get(f"/benchmarks/{RUNNING}", headers={"Prefer": "wait=30"})
    assert document["status"] == "completed"
    assert document["interrupted"] is True
    assert document["progress"]["done"] == document["progress"]["total"] == 16
    before = sum(row["benchmark_id"] == RUNNING for row in OLD["rows"]["results"])
    assert len(simulator.requests) == 16 - before
    summary = document["summary"]
    # What the old worker stored is in the summary, rebuilt from its rows.
    assert summary["requests"]["succeeded"] == summary["ttft_ms"]["count"] == 16
    assert summary["inter_chunk_latency_ms"]["count"] == 16 * 3
    first, second = document["segments"]
    assert (first["ended_by"], first["results"], second["results"]) == ("crashed", before, 16 - before)
    assert summary["possible_duplicates"]["requests"] == first["possible_duplicates"] > 0
