"""docs/exports.md lists the columns that there are."""

from pathlib import Path

from shared.exports.documentation import with_column_tables

PAGE = Path(__file__).parents[3] / "docs/exports.md"


def test_the_page_has_the_tables_of_the_columns() -> None:
    page = PAGE.read_text()
    assert with_column_tables(page) == page, "run `make docs`"
    assert page.count("| `ttft_ms` | ms |") == 1
