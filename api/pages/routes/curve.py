"""`/ui/benchmarks/{id}/curve`: how much load does it hold within my limits?"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.access.needs import needs
from api.http.proxy import link
from api.pages.charts.curve import load_curve
from api.pages.charts.figure import Figure
from api.pages.site import page
from api.pages.tables import csv_of
from api.pages.urls import with_query
from api.pages.words.numbers import significant
from api.routes.benchmarks import BenchmarkId
from api.routes.curve import curve_document
from api.state import Parts
from shared.benchmark.results.curve import CurveSlo

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

TITLES = {"ttft_ms": "TTFT", "tpot_ms": "TPOT", "latency_ms": "latency", "effective_latency_ms": "effective latency"}


class CurvePageQuery(BaseModel):
    """The state of the page in its URL. Forms send empty fields, which mean nothing."""

    model_config = ConfigDict(extra="ignore")

    metric: Literal["ttft_ms", "tpot_ms", "latency_ms", "effective_latency_ms"] = "ttft_ms"
    percentile: Literal["p50", "p95", "p99"] = "p95"
    at_most: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        return {name: value for name, value in values.items() if value != ""} if isinstance(values, dict) else values

    @property
    def title(self) -> str:
        return f"{self.percentile.upper()} {TITLES[self.metric]}"

    @property
    def slos(self) -> list[CurveSlo]:
        if self.at_most is None:
            return []
        return [CurveSlo(self.metric, int(self.percentile[1:]), self.at_most)]


@router.get("/benchmarks/{benchmark_id}/curve")
async def curve_page(
    request: Request, benchmark_id: BenchmarkId, query: Annotated[CurvePageQuery, Query()], parts: Parts
) -> HTMLResponse:
    benchmark = await parts.benchmarks.get(benchmark_id)
    curve = await curve_document(parts, benchmark_id, query.slos)
    return page(
        request,
        "curve/curve.html",
        benchmark=benchmark,
        curve=curve,
        chosen=query,
        titles=TITLES,
        answer=answer(curve, query),
        figure_of_curve=_figure(benchmark_id, curve, query) if curve["points"] else None,
        json_url=with_query(
            link(f"/benchmarks/{benchmark_id}/curve"),
            [("slo", f"{slo.metric}:p{slo.percentile}:{slo.at_most:g}") for slo in query.slos],
        ),
    )


@router.get("/benchmarks/{benchmark_id}/curve.csv")
async def curve_csv(benchmark_id: BenchmarkId, query: Annotated[CurvePageQuery, Query()], parts: Parts) -> Response:
    return csv_of(_figure(benchmark_id, await curve_document(parts, benchmark_id, query.slos), query))


def answer(curve: Mapping[str, Any], query: CurvePageQuery) -> str:
    """How much load it holds, in one sentence."""
    unit = _unit(curve)
    limits = "its SLOs" if query.at_most is None else f"{query.title} of at most {significant(query.at_most)} ms"
    if not curve["points"]:
        return "No stage has ended yet, so there is no curve."
    highest = curve["highest"]
    if highest is None:
        if query.at_most is None and all(point["attainment"] is None for point in curve["points"]):
            return "Type a limit, and the page says how much load is within it."
        return f"No load that was measured meets {limits}."
    held = f"{highest['load']:g} {unit}"
    if curve["control"] == "concurrency":
        held += f" ({significant(highest['request_throughput'])} requests/s)"
    beyond = (
        f"{highest['first_missing']:g} is too much" if highest["first_missing"] is not None else "more was not measured"
    )
    sure = "" if highest["is_sure"] else " It is not certain: its confidence interval passes the limit. Measure longer."
    return f"It holds {held} within {limits}; {beyond}.{sure}"


def _unit(curve: Mapping[str, Any]) -> str:
    return "streams" if curve["control"] == "concurrency" else "requests/s"


def _figure(benchmark_id: int, curve: Mapping[str, Any], query: CurvePageQuery) -> Figure:
    knee, unit = curve["knee"], _unit(curve)
    words = curve["knee_reason"]
    told = f"Knee at {knee['load']:.3g} {unit}: {words}." if knee is not None else f"No knee: {words}."
    pairs = [(name, f"{value}") for name, value in query.model_dump(exclude_defaults=True).items()]
    return load_curve(
        "load-curve",
        query.title,
        curve,
        metric=query.metric,
        percentile=query.percentile,
        most_ms=query.at_most,
        caption=f"Each point is a load, with 95 % intervals of both numbers. {told}",
        csv_url=with_query(link(f"/ui/benchmarks/{benchmark_id}/curve.csv"), pairs),
    )
