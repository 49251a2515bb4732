"""What the key of a cap says."""

from datetime import UTC, date, datetime

import pytest

from shared.budgets.cap_name import BudgetName, CapName
from shared.db.money.caps import cap_key


@pytest.mark.parametrize(
    ("key", "resets_at", "words"),
    [
        ("benchmark:12", None, "the budget of benchmark 12"),
        ("benchmark", None, "its own budget"),
        ("key:ab12cd34:day:2026-12-31", datetime(2027, 1, 1, tzinfo=UTC), "the budget of key ab12cd34 for 2026-12-31"),
        ("owner:acme:month:2026-01", datetime(2026, 2, 1, tzinfo=UTC), "the budget of owner acme for 2026-01"),
        ("owner:acme:month:2026-12", datetime(2027, 1, 1, tzinfo=UTC), "the budget of owner acme for 2026-12"),
        ("owner:day:day:2028-02-28", datetime(2028, 2, 29, tzinfo=UTC), "the budget of owner day for 2028-02-28"),
    ],
)
def test_a_cap_says_whose_it_is_and_when_it_begins_anew(key: str, resets_at: datetime | None, words: str) -> None:
    name = CapName.of(key)
    assert (name.resets_at, name.words) == (resets_at, words)


@pytest.mark.parametrize("key", ["key:ab12cd34:day", "owner:a-b_c:month"])
def test_a_budget_names_its_cap(key: str) -> None:
    budget = BudgetName.of(key)
    assert budget.key == key
    cap = CapName.of(cap_key(key, date(2026, 11, 27)))
    assert (cap.kind, cap.id, cap.period) == (budget.holder, budget.id, budget.period)
    assert cap.begins == date(2026, 11, 27 if budget.period == "day" else 1)
