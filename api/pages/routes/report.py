"""`/ui/report?ids=…`: benchmarks as one HTML file that needs nothing else: to send, to print, to keep."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from api.access.needs import needs
from api.pages.assets import assets
from api.pages.benchmark.figures import Figures
from api.pages.benchmark.key_figures import key_figures
from api.pages.benchmark.spec_text import spec_of
from api.pages.charts.figure import Figure
from api.pages.site import render
from api.present.whole_benchmark import whole_benchmark
from api.schemas.ids import is_id
from api.state import Parts, State
from shared.benchmark.charts.tables import FigureId
from shared.errors import InvalidRequest
from shared.version import __version__

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

MOST = 8
_STYLES = ("tokens.css", "base.css", "charts.css", "benchmark.css", "report.css")
# Every figure counts against the size of the file.
_FIGURES: tuple[FigureId, ...] = (
    *("ttft-ecdf", "latency-ecdf", "over-time", "latency-over-time", "ttft-by-input", "latency-by-output"),
)
# The metrics that a report shows, for its appendix.
_DEFINED = ("ttft_ms", "latency_ms", "tpot_ms", "tokens_per_second", "input_tokens", "output_tokens", "cost_usd")


@router.get("/report")
async def report(ids: Annotated[str, Query(max_length=200)], request: Request, parts: Parts) -> HTMLResponse:
    """For one to eight benchmarks, in the order of `ids`, which are separated by commas."""
    now: datetime = parts.clock.wall_now()
    sections = [await _section(parts, benchmark_id) for benchmark_id in _ids(ids)]
    names = "-".join(str(section["shown"].id) for section in sections)
    text = await asyncio.to_thread(
        render,
        "report/report.html",
        now=now,
        theme="light",
        path="/ui/report",
        printed=True,
        sections=sections,
        styles=styles(),
        metrics=_DEFINED,
        version=__version__,
    )
    return HTMLResponse(
        text,
        headers={
            "Content-Disposition": f'inline; filename="llmbench-report-{names}.html"',
            "Content-Security-Policy": policy(),
            "Cache-Control": "no-cache",
        },
    )


@cache
def styles() -> str:
    """The one style of the file, as it stands between its tags."""
    return "\n" + "\n".join(assets()[name].plain.decode() for name in _STYLES)


@cache
def policy() -> str:
    """Nothing is loaded and nothing runs; this style alone is let through."""
    digest = base64.b64encode(hashlib.sha256(styles().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def _section(parts: State, benchmark_id: int) -> dict[str, Any]:
    benchmark = await parts.benchmarks.get(benchmark_id)
    shown = await whole_benchmark(parts, benchmark, None)
    charts = await parts.charts.of(benchmark_id)
    made = Figures(charts, shown.summary, {}, csv=lambda _: None, at=lambda _: None)
    drawn = await asyncio.to_thread(lambda: {name: _named(made.of(name), benchmark_id) for name in _FIGURES})
    return {
        "shown": shown,
        "is_open": False,
        "texts_deleted_at": benchmark.texts_deleted_at,
        "key_figures": key_figures(shown),
        "charts": charts,
        "figures": drawn,
        "spec": orjson.dumps(spec_of(shown), option=orjson.OPT_INDENT_2).decode(),
    }


def _named(figure: Figure, benchmark_id: int) -> Figure:
    """With an id of its own, since the file may have the same figure of other benchmarks."""
    own = f"{figure.id}-{benchmark_id}"
    old, new = (f'aria-labelledby="{name}-title {name}-caption"' for name in (figure.id, own))
    return replace(figure, id=own, svg=Markup(str(figure.svg).replace(old, new)))  # noqa: S704 - the chart's own markup


def _ids(text: str) -> list[int]:
    """Each once, in their order."""
    parts = [part.strip() for part in text.split(",")]
    if not all(is_id(part) for part in parts):
        raise InvalidRequest.of("ids", "must be ids of benchmarks, separated by commas", "invalid_ids")
    found = list(dict.fromkeys(int(part) for part in parts))
    if len(found) > MOST:
        raise InvalidRequest.of("ids", f"must be at most {MOST} benchmarks; there are {len(found)}", "too_many")
    return found
