"""Renders pages from their templates: `page(request, "benchmarks/list.html", …)`. Every page route calls it."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.access.viewer import csrf_field, csrf_token, may, viewer
from api.http.proxy import link, route_path
from api.pages.assets import asset_url
from api.pages.words import access, failures, instants, metrics, numbers, sentences, statuses
from api.pages.words.notices import PARAMETER, Notice, notice_of

THEMES = ("light", "dark")

# Path and name of the pages that every page links to.
NAVIGATION = (
    ("/ui/benchmarks", "Benchmarks"),
    ("/ui/history", "History"),
    ("/ui/leaderboard", "Leaderboard"),
    ("/ui/spend", "Spend"),
    ("/ui/webhooks", "Webhooks"),
    ("/ui/workers", "Workers"),
    ("/docs", "API"),
)
# What only admins see.
FOR_ADMINS = (
    ("/ui/keys", "Keys"),
    ("/ui/audit", "Audit log"),
)


@cache
def environment() -> Environment:
    """The templates with what all of them use. Values that are no Markup are escaped; an unknown one is an error."""
    made = Environment(
        loader=PackageLoader("api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"link": link, "asset": asset_url, "navigation": navigation, "UNKNOWN": numbers.UNKNOWN}
    made.globals |= {"viewer": viewer, "may": may, "csrf_field": csrf_field, "csrf_token": csrf_token}
    for module in (access, failures, numbers, instants, statuses, metrics, sentences):
        made.filters |= {name: getattr(module, name) for name in module.FILTERS}
    return made


def navigation() -> Sequence[tuple[str, str]]:
    """The pages that whoever looks may see. None on the page of the login."""
    if not viewer().is_known:
        return ()
    *pages, api = NAVIGATION
    return (*pages, *(FOR_ADMINS if viewer().caller.may("admin") else ()), api)


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a part of a page. If it selects from the answer (`hx-select`), it wants the whole page."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-request-type") != "full"


def page(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page or, of a template that does not extend `base.html`, a part of one.

    Templates know `now`, `theme`, `path` and `query` (pairs of the request's URL) besides their own values.
    """
    theme = request.query_params.get("theme")
    content = render(
        template,
        now=request.app.state.process.clock.wall_now(),
        theme=theme if theme in THEMES else None,
        path=route_path(request.scope),
        # Links of the page would say again what was done.
        query=[item for item in request.query_params.multi_items() if item[0] != PARAMETER],
        notice=notice_of(request.query_params.get(PARAMETER)),
        **values,
    )
    # A page and a part of it may have the same URL.
    return HTMLResponse(content, status_code, {"Cache-Control": "no-cache", "Vary": "HX-Request", **(headers or {})})


def render(
    template: str,
    *,
    now: datetime,
    theme: str | None = None,
    path: str = "",
    query: list[tuple[str, str]] | None = None,
    notice: Notice | None = None,
    **values: Any,
) -> str:
    """The text of a page. For documents without a request of their own, such as the report."""
    context = {"now": now, "theme": theme, "path": path, "query": query or [], "notice": notice, "printed": False}
    return environment().get_template(template).render({**context, **values})
