"""What the page of a comparison shows, from the document of `GET /compare`. It computes no numbers of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.pages.charts.distribution import Sample, ecdf, series
from api.pages.charts.figure import Figure
from api.pages.charts.forest import Row, forest
from api.pages.charts.plot import WIDTH
from api.pages.charts.zoom import scale_of, zoom_of
from api.pages.words.numbers import significant, usd

# What the first table says of each run. The others stand below it.
FIRST = (
    ("ttft_ms", "p50"),
    ("ttft_ms", "p95"),
    ("latency_ms", "p50"),
    ("latency_ms", "p95"),
    ("tpot_ms", "p50"),
    ("tokens_per_second", "p50"),
    ("cost_usd_per_1000", "mean"),
    ("error_rate", "share"),
)
VERDICT_WORDS = {
    "different": "different",
    "too_small_to_matter": "too small to matter",
    "practically_equal": "practically equal",
    "too_early": "too early to tell",
    "withheld": "no verdict",
}
_OVERLAID = (("ttft_ms", "TTFT", "ttft"), ("latency_ms", "Latency", "latency"))
Document = Mapping[str, Any]


def names_of(document: Document) -> list[str]:
    """`A gpt-4o-mini`: short enough for the end of a line. What all runs share is left out."""
    runs = document["runs"]
    differing = next((field for field in ("model", "provider") if len({run[field] for run in runs}) > 1), None)
    return [f"{run['label']} {run[differing]}" if differing else run["label"] for run in runs]


def sentences(document: Document) -> list[dict[str, Any]]:
    """For each run but the reference, its differences: the first ones, and the rest."""
    runs = {run["id"]: (number, run) for number, run in enumerate(document["runs"])}
    found = []
    for place in range(len(document["runs"]) - 1):
        items = [(metric, metric["differences"][place]) for metric in document["metrics"]]
        number, run = runs[items[0][1]["id"]]
        lines = [
            {"first": (metric["metric"], metric["statistic"]) in FIRST, "metric": metric, **item}
            for metric, item in items
        ]
        found.append(
            {
                "run": run,
                "css": series(number),
                "first": [line for line in lines if line["first"]],
                "others": [line for line in lines if not line["first"]],
            }
        )
    return found


def forest_of(document: Document) -> Figure:
    """Differences in per cent of the reference, all runs of a metric next to each other."""
    many = len(document["runs"]) > 2
    rows = []
    for metric in document["metrics"]:
        reference = metric["values"][0]["value"]
        if not reference or metric["metric"] == "error_rate":
            continue
        for number, item in enumerate(metric["differences"], start=1):
            if item["difference"] is None:
                continue
            label = document["runs"][number]["label"]
            factor = 100 / reference
            interval = item["interval_95"]
            title = metric["title"][:1].upper() + metric["title"][1:]
            rows.append(
                Row(
                    f"{label} {title}" if many else title,
                    # Colours speak of verdicts: without one, the row is plain.
                    "withheld" if item["verdict"] == "withheld" else series(number),
                    item["difference"] * factor,
                    None if interval is None else (interval[0] * factor, interval[1] * factor),
                    None if item["margin"] is None else item["margin"] * factor,
                    _amount(metric, item["difference"]),
                    VERDICT_WORDS[item["verdict"]],
                    item["better"],
                )
            )
    known = sum(row.interval is not None for row in rows)
    caption = (
        "Each line is the 95 % interval of a difference to A, the dot its value. Within the grey band it does not "
        "matter. "
        f"{known} of {len(rows)} differences have an interval."
    )
    return forest("differences", "Differences to A", rows, caption=caption)


def overlaid(document: Document, charts: Sequence[Document], query: Mapping[str, str]) -> list[Figure]:
    """The ECDFs of all runs over each other. `charts`: those of the runs, in order."""
    figures = []
    for metric, title, name in _OVERLAID:
        samples = [
            Sample(
                label,
                item[metric]["count"],
                item[metric]["quantiles"],
                item[metric]["tail"],
            )
            for label, item in zip(names_of(document), charts, strict=True)
        ]
        if not any(sample.count for sample in samples):
            continue
        figure_id = f"{name}-ecdf"
        medians = "; ".join(_median(document, metric))
        figures.append(
            ecdf(
                figure_id,
                title,
                samples,
                kind=scale_of(query, figure_id),
                zoom=zoom_of(query, figure_id),
                caption=f"Share of requests that took at most this long. P50: {medians}.",
                width=WIDTH,
            )
        )
    return figures


def _median(document: Document, metric: str) -> list[str]:
    found = next((item for item in document["metrics"] if (item["metric"], item["statistic"]) == (metric, "p50")), None)
    if found is None:
        return []
    return [
        f"{run['label']} {significant(value['value'])} ms"
        for run, value in zip(document["runs"], found["values"], strict=True)
    ]


def shown(metric: Document, value: float | None) -> str:
    """A value in a table: its unit stands in the head of the row."""
    if value is None:
        return significant(None)
    if metric["metric"] == "cost_usd_per_1000":
        return usd(value)
    if metric["metric"] == "error_rate":
        return f"{significant(value * 100)} %"
    return significant(value)


def _amount(metric: Document, value: float) -> str:
    sign = "−" if value < 0 else "+" if value > 0 else ""
    unit = {"cost_usd_per_1000": "", "tpot_ms": " ms", "tokens_per_second": " /s"}.get(metric["metric"], " ms")
    return f"{sign}{shown(metric, abs(value))}{unit}"
