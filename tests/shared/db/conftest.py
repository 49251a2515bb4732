"""Repositories over the test's own database."""

import pytest

from shared.db.connection.database import Database
from tests.shared.db.money.spending import Money
from tests.shared.db.rows import Tables


@pytest.fixture
def tables(database: Database) -> Tables:
    return Tables(database)


@pytest.fixture
def money(tables: Tables) -> Money:
    return Money(tables)
