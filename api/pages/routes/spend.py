"""`/ui/spend`: what was spent by model, key and day, and how full the budgets are."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access.needs import needs
from api.http.proxy import link
from api.pages.charts.spend_days import spend_days
from api.pages.site import page
from api.pages.spend_view import budget_row, days_in_words, owner_rows, sum_rows
from api.present.money import dollars
from api.schemas.day import Day
from api.state import Parts
from shared.errors import InvalidRequest

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

# Of models, keys and owners: the largest sums.
ROWS = 50
MAX_DAYS = 366
BUDGETS = 200


@router.get("/spend")
async def spend(
    request: Request,
    parts: Parts,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
) -> Response:
    """By default of this month, in UTC."""
    today = await parts.spend.today()
    last = last or today
    first = first or last.replace(day=1)
    if not 0 <= (last - first).days < MAX_DAYS:
        raise InvalidRequest.of("from", f"must be {MAX_DAYS - 1} days before `to` at most, and not after it")
    sees_all = parts.caller.sees_all
    models = await parts.spend.page("model", first, last, limit=ROWS)
    keys = await parts.spend.page("key", first, last, limit=ROWS)
    days = await parts.spend.page("day", first, last, limit=MAX_DAYS)
    owners = await parts.spend.page("owner", first, last, limit=ROWS) if sees_all else None
    budgets = await parts.budgets.page(after=None, limit=BUDGETS)
    spent = {row.day: row.spent for row in days.rows if row.day is not None}
    return page(
        request,
        "spend/page.html",
        first=first,
        last=last,
        words=days_in_words(first, last),
        total=models.total,
        spent_usd=dollars(models.total.amount),
        worst_case_usd=dollars(models.total.worst_case),
        tables=[
            ("By model", "Model", sum_rows(models), models.has_more),
            ("By key", "Key", sum_rows(keys, all_owners=sees_all), keys.has_more),
            *([("By owner", "Owner", owner_rows(owners), owners.has_more)] if owners else []),
        ],
        figure_shown=spend_days(spent, first, last) if spent else None,
        budgets=[budget_row(state) for state in budgets],
        this_month=link("/ui/spend"),
        last_month=_month_before(today),
    )


def _month_before(today: date) -> str:
    last = today.replace(day=1) - timedelta(days=1)
    return link(f"/ui/spend?from={last.replace(day=1)}&to={last}")
