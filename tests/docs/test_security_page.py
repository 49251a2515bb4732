"""docs/security.md names tests that there are, for every risk of the list."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> dict[str, str]:
    section = PAGE.partition("## OWASP API Security Top 10\n")[2].partition("\n## ")[0]
    return {found[1]: found[0] for found in re.finditer(r"^\| (API\d+) .*$", section, re.MULTILINE)}


def test_every_risk_has_a_row_with_tests() -> None:
    assert list(rows()) == [f"API{number}" for number in range(1, 11)]
    for risk, row in rows().items():
        assert NAMED.search(row), risk


def test_every_test_that_it_names_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 20
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or not re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.M)
    ]
    assert missing == []


def test_who_reports_a_hole_finds_the_policy() -> None:
    policy = (ROOT / "SECURITY.md").read_text()
    assert "docs/security.md#owasp-api-security-top-10" in policy
    assert "../SECURITY.md" in PAGE
