"""The figures of a benchmark's page, from the document of its charts and from what the reader chose in the URL."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from api.pages.benchmark.complexity import sentence_of
from api.pages.benchmark.key_figures import distribution
from api.pages.charts.distribution import Sample, ecdf, histogram
from api.pages.charts.figure import Figure
from api.pages.charts.lanes import lanes
from api.pages.charts.over_time import requests_over_time, throughput_over_time, times_over_time
from api.pages.charts.scatter import scatter
from api.pages.charts.zoom import scale_of, zoom_of
from api.pages.words.metrics import label
from api.schemas.summary import Summary
from shared.benchmark.charts.tables import FigureId
from shared.benchmark.results.outcome import FAILURES

# Rows of a figure's table in the page. The CSV has all.
ROWS = 20
_MARKS = (50, 95, 99)

_ECDFS = {"ttft-ecdf": "ttft_ms", "latency-ecdf": "latency_ms", "tpot-ecdf": "tpot_ms"}
_HISTOGRAMS = {"ttft-histogram": "ttft_ms", "latency-histogram": "latency_ms", "tpot-histogram": "tpot_ms"}
_SCATTERS = {
    "ttft-by-input": ("TTFT", "ttft", "input"),
    "latency-by-input": ("Latency", "latency", "input"),
    "latency-by-output": ("Latency", "latency", "output"),
    "ttft-by-output": ("TTFT", "ttft", "output"),
}


class Figures:
    """Makes figures one by one. `csv`: the URL of a figure's CSV; `at`: that of its fragment, which zooming reads."""

    def __init__(
        self,
        charts: Mapping[str, Any],
        summary: Summary | None,
        query: Mapping[str, str],
        csv: Callable[[str], str | None],
        at: Callable[[str], str | None],
    ) -> None:
        self._charts, self._summary, self._query = charts, summary, query
        self._csv, self._at = csv, at

    def of(self, figure_id: FigureId) -> Figure:
        """With a table of a few rows, evenly chosen. Raises KeyError for a figure that is none of the page's."""
        figure = self._made(figure_id)
        step = max(1, -(-len(figure.rows) // ROWS))
        # The last of each step, so that the table ends with the last row.
        rows = figure.rows[step - 1 :: step] if step > 1 else figure.rows
        return replace(figure, rows=rows, csv_url=self._csv(figure_id), url=self._at(figure_id))

    def _made(self, figure_id: FigureId) -> Figure:
        zoom, series = zoom_of(self._query, figure_id), self._charts["over_time"]
        if figure_id in _ECDFS:
            return self._ecdf(figure_id, _ECDFS[figure_id])
        if figure_id in _HISTOGRAMS:
            return self._histogram(figure_id, _HISTOGRAMS[figure_id])
        if figure_id in _SCATTERS:
            return self._scatter(figure_id)
        if figure_id == "over-time":
            return requests_over_time(series, zoom=zoom)
        if figure_id == "throughput":
            mean = self._summary.output_token_throughput if self._summary else None
            return throughput_over_time(series, mean=mean, zoom=zoom)
        if figure_id == "latency-over-time":
            return times_over_time(series, zoom=zoom)
        if figure_id == "lanes":
            return lanes(self._charts["requests"], zoom=zoom, failed=FAILURES)
        raise KeyError(figure_id)

    def _ecdf(self, figure_id: str, metric: str) -> Figure:
        values = self._charts[metric]
        name = label(metric)
        sample = Sample(name, values["count"], values["quantiles"], values["tail"], self._marks(metric))
        kind = scale_of(self._query, figure_id)
        return ecdf(figure_id, name, [sample], kind=kind, zoom=zoom_of(self._query, figure_id))

    def _histogram(self, figure_id: str, metric: str) -> Figure:
        kind = scale_of(self._query, figure_id)
        found = self._charts[metric]["log_histogram" if kind == "log" else "histogram"]
        zoom = zoom_of(self._query, figure_id)
        figure = histogram(
            figure_id,
            label(metric),
            found["edges"],
            found["counts"],
            kind=kind,
            zoom=zoom,
            marks=self._marks(metric),
        )
        return replace(figure, title=f"{figure.title}, how often")

    def _scatter(self, figure_id: str) -> Figure:
        title, time, tokens = _SCATTERS[figure_id]
        fit = self._charts["fits"][f"{time}_by_{tokens}"]
        return scatter(
            figure_id,
            title,
            self._charts["requests"],
            tokens=f"{tokens}_tokens",
            time=f"{time}_ms",
            fit=fit,
            caption=sentence_of(fit, title, tokens, self._charts[f"{time}_ms"]["count"]),
            zoom=zoom_of(self._query, figure_id),
        )

    def _marks(self, metric: str) -> dict[str, float | None]:
        """Percentiles of the summary, so that charts and key figures agree."""
        found = distribution(self._summary, metric) if self._summary else None
        return {f"P{percent}": getattr(found, f"p{percent}") for percent in _MARKS} if found else {}
