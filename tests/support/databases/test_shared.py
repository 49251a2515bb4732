"""What the next test finds in the database that tests share."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.support.databases.shared import SharedDatabase


def ask(url: str, *statements: str) -> list[Any]:
    async def all_answers() -> list[Any]:
        connection = await asyncpg.connect(url)
        answers = [await connection.fetchval(statement) for statement in statements]
        await connection.close()
        return answers

    return asyncio.run(all_answers())


@pytest.mark.parametrize("rows", [1, 10_000], ids=["few", "many"])
def test_each_finds_no_rows_and_ids_begin_at_1(shared_postgresql: SharedDatabase, rows: int) -> None:
    url = shared_postgresql.url
    shared_postgresql.empty()
    ask(
        url,
        f"INSERT INTO owners (name, turn, created_at) SELECT n, 0, now() FROM generate_series(1, {rows}) n",
        "SELECT nextval('benchmarks_id_seq') FROM generate_series(1, 5)",
    )
    shared_postgresql.empty()
    assert ask(url, "SELECT string_agg(name, ' ') FROM owners", "SELECT nextval('benchmarks_id_seq')") == ["default", 1]
    shared_postgresql.empty()


def test_what_the_planner_knows_of_a_table_does_not_stay(shared_postgresql: SharedDatabase) -> None:
    url = shared_postgresql.url
    shared_postgresql.empty()
    analyzed = "SELECT count(*) FROM pg_class WHERE relname = 'owners' AND reltuples >= 0"
    assert ask(url, "ANALYZE owners", analyzed) == [None, 1]
    shared_postgresql.empty()
    assert ask(url, analyzed) == [0]
