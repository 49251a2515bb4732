"""The page of what was spent."""

from datetime import date, timedelta

import httpx2
import pytest

from tests.api.pages.forms_of import seen
from tests.shared.db.money.spending import spent, today
from tests.shared.db.rows import Tables

PAGE = "/ui/spend"
HOSTILE = "<img src=x onerror=alert(1)>"


async def test_without_spending_the_page_says_what_is_entered_and_how_to_set_a_budget(
    empty_api: httpx2.AsyncClient,
) -> None:
    page = await seen(empty_api, PAGE)
    assert "Nothing was spent in these days" in page.text
    assert "llmbench budgets set 50 --owner default --per month" in page.text
    assert "By model" not in page.text


async def test_what_was_spent_this_month_by_day_model_and_key(api: httpx2.AsyncClient, tables: Tables) -> None:
    now = await today(tables.database)
    await spent(tables.database, now, 9_000_000, model=HOSTILE, key_id="ab12cd34", worst_case=250_000, requests=1_200)
    await spent(tables.database, now, 3_000_000, 2, model="gpt-5", provider="openai", unpriced=3)
    await spent(tables.database, now.replace(day=1) - timedelta(days=1), 70_000_000, 3)
    await spent(tables.database, now, 80_000_000, 4, owner="other")
    page = await seen(api, PAGE)
    for words in (
        "The sum over all requests.",
        "$12.00",
        "$0.250",
        "1,201",
        f"The most was spent on {now.day} {now:%b}: $12.00.",
    ):
        assert words in page.text
    assert f"{HOSTILE} at p $9.00 75 % of all" in page.text
    assert "gpt-5 at openai $3.00 25 % of all" in page.text
    assert "a key that is gone ab12cd34 $9.00 75 % of all" in page.text
    assert "without a key $3.00 25 % of all" in page.text
    assert "By owner" not in page.text
    assert {item["aria-label"] for item in page.all("svg", class_="share")} == {"75 % of all", "25 % of all"}
    assert "spend-days" in {item.get("id") for item in page.all("figure")}


async def test_budgets_are_shown_with_how_full_they_are(api: httpx2.AsyncClient, tables: Tables) -> None:
    await spent(tables.database, await today(tables.database), 49_500_000)
    await api.put("/budgets/owners/default/month", json={"cap_usd": 50})
    await api.put("/budgets/owners/default/day", json={"cap_usd": 20})
    text = (await seen(api, PAGE)).text
    month = "99 % $49.50 spent and $0.00 reserved of $50.00 $0.500 $50.00 $49.50 $0.00 no"
    day = "247.5 % $49.50 spent and $0.00 reserved of $20.00 $0.00 $20.00 $49.50 $0.00 no"
    assert (f"owner default a month {month}" in text, f"owner default a day {day}" in text) == (True, True)


async def test_other_days_are_those_that_the_reader_chose(api: httpx2.AsyncClient, tables: Tables) -> None:
    await spent(tables.database, date(2026, 2, 28), 2_000_000)
    page = await seen(api, f"{PAGE}?from=2026-02-27&to=2026-03-02")
    assert "27 February to 2 March 2026, in UTC" in page.text
    assert "The most was spent on 28 Feb: $2.00." in page.text
    assert {item["value"] for item in page.all("input", type="date")} == {"2026-02-27", "2026-03-02"}


@pytest.mark.parametrize("query", ["from=2026-03-02&to=2026-02-27", "from=2020-01-01&to=2026-01-01", "from=soon"])
async def test_days_that_cannot_be_shown_are_a_page_that_says_so(empty_api: httpx2.AsyncClient, query: str) -> None:
    refused = await empty_api.get(f"{PAGE}?{query}")
    assert (refused.status_code, refused.headers["content-type"]) == (422, "text/html; charset=utf-8")
