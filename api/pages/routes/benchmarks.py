"""`/ui/benchmarks`: what ran, what is running, how did it go? Its rows update in place while runs are open."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, status
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ConfigDict, Field, model_validator

from api.access.needs import needs
from api.http.proxy import link
from api.lists.benchmarks import cursor_of, filter_of, position_of
from api.pages.benchmark_rows import Row, row_of
from api.pages.list_order import COLUMNS, NEWEST, OLDEST, Order, sorted_rows
from api.pages.site import is_partial, page
from api.pages.urls import with_query
from api.schemas.benchmark_queries import BenchmarkQuery
from api.schemas.ids import RowId
from api.state import Parts, State
from shared.benchmark.status import STATUSES
from shared.db.benchmarks.pages import BenchmarkFilter, BenchmarkList, ListedBenchmark, Position
from shared.errors import InvalidRequest

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

PATH = "/ui/benchmarks"
PAGE = 100
# The bar says "99+ new runs" above it.
MOST_NEW = 100
MOST_COMPARED = 8
FILTERS = ("name", "status", "model", "provider", "metadata", "created_from", "created_before")


class ListQuery(BenchmarkQuery):
    """The state of the list in its URL. Forms send empty fields, which mean nothing."""

    model_config = ConfigDict(extra="ignore")

    sort: Order = NEWEST
    # Where the page before begins, going back: see `_read`.
    back: Annotated[str, Field(max_length=500)] | None = None
    limit: int = Field(default=PAGE, ge=1, le=PAGE)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        lists = {name: [item for item in value if item] for name, value in values.items() if isinstance(value, list)}
        return {name: value for name, value in {**values, **lists}.items() if value != ""}


class LiveQuery(ListQuery):
    """What an open list wants to know: how its open rows are, and how many benchmarks are newer than `newest`."""

    ids: Annotated[tuple[RowId, ...], Field(max_length=PAGE)] = ()
    newest: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


@router.get("/benchmarks")
async def list_page(request: Request, query: Annotated[ListQuery, Query()], parts: Parts) -> HTMLResponse:
    where = filter_of(query)
    found, earlier = await _read(parts, where, query)
    rows = [row_of(item.benchmark) for item in found.items]
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name in (*FILTERS, "sort", "limit")]
    here = link(PATH)
    is_first = query.cursor is None and query.back is None
    shows_newest = query.sort != OLDEST and is_first
    newest = max((row.id for row in rows), default=0) if shows_newest else None
    filtered = any(name in FILTERS for name, value in pairs if value)
    return page(
        request,
        "benchmarks/part.html" if is_partial(request) else "benchmarks/list.html",
        rows=sorted_rows(rows, query.sort),
        chosen=query,
        filtered=filtered,
        is_first=is_first,
        statuses=STATUSES,
        providers=sorted(endpoint.name for endpoint in parts.endpoints),
        columns=[_header(column, query.sort, here, [*pairs, *_position_in(query)]) for column in COLUMNS],
        sorted_by=next((column for column in COLUMNS if query.sort.lstrip("-") == column.key), None),
        order_url=with_query(here, pairs, sort=OLDEST if query.sort != OLDEST else None),
        newest_url=with_query(here, [*pairs, *_position_in(query)], sort=None),
        clear_url=here,
        next_url=found.next and with_query(here, pairs, cursor=cursor_of(found.next, where)),
        previous_url=earlier and with_query(here, pairs, back=earlier),
        first_url=with_query(here, pairs),
        export_url=with_query(link("/benchmarks/export"), [pair for pair in pairs if pair[0] in FILTERS]),
        live=_live(rows, newest, pairs),
        origin=str(request.base_url).rstrip("/"),
        needs_key=parts.caller.key_id is not None,
    )


@router.get("/benchmarks/live")
async def live_rows(request: Request, query: Annotated[LiveQuery, Query()], parts: Parts) -> Response:
    """The open rows of a list as they are now, and how many new benchmarks there are."""
    rows = [row_of(item.benchmark) for item in await parts.benchmark_pages.of_ids(query.ids)] if query.ids else []
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name in (*FILTERS, "sort")]
    new = 0
    if query.newest is not None:
        new = await parts.benchmark_pages.count_newer(filter_of(query), query.newest, most=MOST_NEW)
    return page(
        request,
        "benchmarks/live.html",
        rows=rows,
        gone=sorted(set(query.ids) - {row.id for row in rows}),
        new=new,
        most_new=MOST_NEW,
        first_url=with_query(link(PATH), pairs),
        live=_live(rows, query.newest, pairs),
    )


@router.get("/benchmarks/compare")
async def compare_chosen(ids: Annotated[tuple[RowId, ...], Query(max_length=PAGE)] = ()) -> RedirectResponse:
    """From the checkboxes of the list to the page that compares."""
    chosen = list(dict.fromkeys(ids))
    if not 2 <= len(chosen) <= MOST_COMPARED:
        raise InvalidRequest.of("ids", f"select two to {MOST_COMPARED} benchmarks; {len(chosen)} are selected", "count")
    return RedirectResponse(link("/ui/compare") + "?ids=" + ",".join(map(str, chosen)), status.HTTP_303_SEE_OTHER)


async def _read(parts: State, where: BenchmarkFilter, query: ListQuery) -> tuple[BenchmarkList, str | None]:
    """The benchmarks of this page in its order, and the cursor of the page before, None on the first one."""
    oldest_first = query.sort == OLDEST
    pages = parts.benchmark_pages
    if query.back is None:
        before = None if query.cursor is None else position_of(query.cursor, where)
        found = await pages.page(where, before=before, limit=query.limit, oldest_first=oldest_first)
        if query.cursor is None:
            return found, None
        # What comes before the first row; on an empty page, before the place where it would begin.
        first = _place(found.items[0]) if found.items else before
        return found, None if first is None else cursor_of(first, where)
    # Backwards: the nearest ones first, so they are turned around.
    behind = position_of(query.back, where)
    turned = await pages.page(where, before=behind, limit=query.limit, oldest_first=not oldest_first)
    items = list(reversed(turned.items))
    following = _place(items[-1]) if items else behind
    return BenchmarkList(items, following), None if turned.next is None else cursor_of(turned.next, where)


def _position_in(query: ListQuery) -> list[tuple[str, str]]:
    """Sorting by a number keeps the page. In the other order of the database the page would be another one."""
    if query.sort == OLDEST:
        return []
    return [(name, value) for name, value in (("cursor", query.cursor), ("back", query.back)) if value]


def _place(item: ListedBenchmark) -> Position:
    return Position(item.benchmark.id, item.benchmark.created_at)


def _header(column: Any, sort: str, here: str, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A title with the URL that sorts by it: first the way that is wanted more often, then the other."""
    first, second = column.orders
    following = second if sort == first else NEWEST if sort == second else first
    way = "descending" if sort == f"-{column.key}" else "ascending" if sort == column.key else None
    return {
        "column": column,
        "url": with_query(here, pairs, sort=following if following != NEWEST else None),
        "way": way,
    }


def _live(rows: Sequence[Row], newest: int | None, pairs: Sequence[tuple[str, str]]) -> dict[str, Any] | None:
    """Where and how often the list asks for news. None: nothing can change in it."""
    ids = [("ids", str(row.id)) for row in rows if row.is_open]
    if not ids and newest is None:
        return None
    last = [] if newest is None else [("newest", str(newest))]
    return {"url": with_query(link(f"{PATH}/live"), [*pairs, *last, *ids]), "every": "2s" if ids else "10s"}
