"""`GET /spend`: what was spent."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access.needs import needs
from api.http.body import JsonRoute
from api.lists.cursor import decode_cursor, encode_cursor
from api.present.money import spend_item, spent_out
from api.routes.benchmarks import INVALID
from api.schemas.spend import SpendQuery, SpendReport
from api.state import Parts
from shared.errors import InvalidRequest

router = APIRouter(tags=["money"], route_class=JsonRoute, dependencies=[needs("read")])


@router.get("/spend", operation_id="getSpend", summary="What was spent", responses=INVALID)
async def spend(query: Annotated[SpendQuery, Query()], parts: Parts) -> SpendReport:
    """Sums of the ledger of the caller's owner. It keeps what was spent when benchmarks are deleted."""
    if query.cursor is not None and query.by != "benchmark":
        raise InvalidRequest.of("cursor", "only lists by benchmark have pages", "invalid_cursor")
    before = decode_cursor(query.cursor, int)[0] if query.cursor else None
    today = await parts.spend.today()
    last = query.last or today
    first = query.first or last.replace(day=1)
    page = await parts.spend.page(query.by, first, last, limit=query.limit, before=before)
    pages_on = query.by == "benchmark" and page.has_more
    return SpendReport(
        by=query.by,
        first=first,
        last=last,
        total=spent_out(page.total),
        items=[spend_item(row) for row in page.rows],
        has_more=page.has_more,
        next_cursor=encode_cursor(page.rows[-1].benchmark_id) if pages_on else None,
    )
