"""Sums of the ledger and budgets as a page shows them."""

from datetime import UTC, date, datetime

import pytest

from api.pages.spend_view import budget_row, days_in_words, owner_rows, sum_rows
from shared.budgets.cap_name import BudgetName
from shared.db.money.budgets import BudgetState
from shared.db.money.spend_pages import SpendPage, SpendRow
from shared.money import Spent

AT = datetime(2026, 11, 27, tzinfo=UTC)


def page(*rows: SpendRow) -> SpendPage:
    return SpendPage(Spent(4_000_000, 0, 40, 0, 4), rows, False)


def spent(amount: int) -> Spent:
    return Spent(amount, 0, 10, 0, 1)


def test_an_admin_sees_whose_each_key_is() -> None:
    keys = page(
        SpendRow(spent(3_000_000), owner="acme", key_id="ab12cd34", name="ci"),
        SpendRow(spent(1_000_000), owner="default"),
        SpendRow(spent(0), owner="acme", key_id="zz12cd34"),
    )
    assert [(row.name, row.about) for row in sum_rows(keys, all_owners=True)] == [
        ("ci", "ab12cd34, owner acme"),
        ("without a key", "owner default"),
        ("a key that is gone", "zz12cd34, owner acme"),
    ]
    assert [(row.name, row.about) for row in sum_rows(keys)] == [
        ("ci", "ab12cd34"),
        ("without a key", ""),
        ("a key that is gone", "zz12cd34"),
    ]


def test_owners_stand_with_their_share_of_all() -> None:
    first, second = owner_rows(page(SpendRow(spent(3_000_000), owner="acme"), SpendRow(spent(1), owner="<b>")))
    assert (first.name, first.about, first.spent_usd) == ("acme", "", 3.0)
    assert 'aria-label="75 % of all"' in first.bar
    assert 'width="90.0"' in first.bar
    assert second.name == "<b>"


@pytest.mark.parametrize(
    ("used", "full", "widths"),
    [
        ((10, 5), "30 %", ("24.0", "12.0")),
        # What is above the budget is not drawn beyond the bar.
        ((60, 5), "130 %", ("120.0",)),
        ((40, 20), "120 %", ("96.0", "24.0")),
        ((0, 0), "0 %", ("0.0",)),
    ],
)
def test_the_bar_of_a_budget_shows_what_is_spent_and_reserved(
    used: tuple[int, int], full: str, widths: tuple[str, ...]
) -> None:
    state = BudgetState(BudgetName("owner", "acme", "month"), "acme", 50, *used, None, AT, AT)
    row = budget_row(state)
    assert row.full == full
    assert tuple(part.partition('"')[0] for part in row.bar.split('width="')[3:]) == widths


def test_a_zone_of_days_in_words() -> None:
    assert days_in_words(date(2026, 11, 1), date(2026, 11, 27)) == "1 to 27 November 2026"
    assert days_in_words(date(2026, 11, 1), date(2026, 11, 1)) == "1 November 2026"
    assert days_in_words(date(2026, 10, 5), date(2026, 11, 1)) == "5 October to 1 November 2026"
    assert days_in_words(date(2025, 12, 31), date(2026, 1, 1)) == "31 December 2025 to 1 January 2026"
