"""Each page is tested on SQLite by `make test`, and on PostgreSQL too by `make heavy`.

Pages read through the repositories, whose own tests run on both in `make test`.
"""

from pathlib import Path

import pytest

PAGES = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (
            isinstance(item, pytest.Function)
            and item.path.is_relative_to(PAGES)
            and hasattr(item, "callspec")
            and item.callspec.params.get("database_url") == "postgresql"
        ):
            item.add_marker("heavy")
