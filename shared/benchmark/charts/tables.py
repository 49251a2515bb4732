"""The tables behind the figures: what a figure draws, as rows. From the document of charts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: names with their units at the end, as everywhere in the API."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def _ecdf(document: Mapping[str, Any], metric: str) -> Table:
    """The share of requests at or below each value."""
    values: Mapping[str, Any] = document[metric]
    points = ecdf_points(values)
    return Table(("share", metric), [(round(share, 6), value) for value, share in points])


def ecdf_points(values: Mapping[str, Any]) -> list[tuple[float, float]]:
    """(value, share at or below it), rising, from a `distribution`."""
    count, quantiles, tail = values["count"], values["quantiles"], values["tail"]
    if count <= len(quantiles):
        return [(value, (number + 1) / count) for number, value in enumerate(quantiles)]
    points = [(value, (number + 0.5) / len(quantiles)) for number, value in enumerate(quantiles)]
    return points + [(value, (count - len(tail) + number + 1) / count) for number, value in enumerate(tail)]


def _histogram(document: Mapping[str, Any], metric: str) -> Table:
    found = document[metric]["histogram"]
    edges: list[float] = found["edges"]
    rows = zip(edges, edges[1:], found["counts"], strict=False)
    return Table((f"from_{metric}", f"to_{metric}", "requests"), [tuple(row) for row in rows])


def _columns(document: Mapping[str, Any], names: Sequence[str]) -> Table:
    return Table(tuple(names), list(zip(*(document[name] for name in names), strict=True)))


def _over_time(document: Mapping[str, Any]) -> Table:
    series = document["over_time"]
    return _columns(series, [name for name in series if name not in ("begins_at", "step_s")])


def _requests(document: Mapping[str, Any]) -> Table:
    requests = document["requests"]
    return _columns(requests, [name for name in requests if name not in ("of", "sampled")])


def _by_tokens(document: Mapping[str, Any], time: str, tokens: str) -> Table:
    requests = document["requests"]
    names = ("id", "prompt_index", f"{tokens}_tokens", f"{time}_ms")
    keep = [place for place, outcome in enumerate(requests["outcome"]) if outcome == "succeeded"]
    return Table(names, [tuple(requests[name][place] for name in names) for place in keep])


def _errors(document: Mapping[str, Any]) -> Table:
    return Table(("kind", "requests"), [(error["kind"], error["count"]) for error in document["errors"]])


FigureId = Literal[
    "ttft-ecdf",
    "latency-ecdf",
    "tpot-ecdf",
    "ttft-histogram",
    "latency-histogram",
    "tpot-histogram",
    "over-time",
    "throughput",
    "latency-over-time",
    "lanes",
    "ttft-by-input",
    "ttft-by-output",
    "latency-by-input",
    "latency-by-output",
    "errors",
]

# Two figures may show the same table.
TABLES: dict[FigureId, Callable[[Mapping[str, Any]], Table]] = {
    "ttft-ecdf": lambda document: _ecdf(document, "ttft_ms"),
    "latency-ecdf": lambda document: _ecdf(document, "latency_ms"),
    "tpot-ecdf": lambda document: _ecdf(document, "tpot_ms"),
    "ttft-histogram": lambda document: _histogram(document, "ttft_ms"),
    "latency-histogram": lambda document: _histogram(document, "latency_ms"),
    "tpot-histogram": lambda document: _histogram(document, "tpot_ms"),
    "over-time": _over_time,
    "throughput": _over_time,
    "latency-over-time": _over_time,
    "lanes": _requests,
    "ttft-by-input": lambda document: _by_tokens(document, "ttft", "input"),
    "ttft-by-output": lambda document: _by_tokens(document, "ttft", "output"),
    "latency-by-input": lambda document: _by_tokens(document, "latency", "input"),
    "latency-by-output": lambda document: _by_tokens(document, "latency", "output"),
    "errors": _errors,
}
