"""What the audit log may hold: facts with names of their own, short, and nothing else."""

import pytest

from shared.access.audit import ACTIONS, DETAILS, KINDS, MAX_CHARS, MAX_ITEMS, checked_details
from shared.db.tables.access import AuditEntry


def test_facts_are_kept_and_unknown_values_left_out() -> None:
    details = {"model": "sim", "planned_requests": 12, "rerun_of": None, "changed": ["url", "enabled"]}
    assert checked_details(details) == {"model": "sim", "planned_requests": 12, "changed": ["url", "enabled"]}


@pytest.mark.parametrize("name", ["prompt", "prompts", "name", "url", "secret", "key", "cookie", "response", "system"])
def test_texts_and_secrets_have_no_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"does not hold {name}"):
        checked_details({name: "canary"})
    assert name not in DETAILS


def test_values_are_short_and_plain() -> None:
    assert checked_details({"model": "x" * 1_000})["model"] == "x" * MAX_CHARS
    assert len(checked_details({"events": ["e"] * 1_000})["events"]) == MAX_ITEMS
    assert checked_details({"changed": {"url", "enabled"}}) == {"changed": ["enabled", "url"]}
    with pytest.raises(ValueError, match="holds no dict"):
        checked_details({"model": {"prompt": "canary"}})


def test_the_columns_are_wide_enough() -> None:
    columns = AuditEntry.__table__.columns
    assert max(map(len, ACTIONS)) <= columns["action"].type.length  # type: ignore[attr-defined]
    assert max(map(len, KINDS)) <= columns["target_kind"].type.length  # type: ignore[attr-defined]
