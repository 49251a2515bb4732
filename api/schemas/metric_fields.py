"""Fields of the API's schemas that are made from the registry of metrics."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field, create_model

from api.schemas.number import Number
from shared.numbers.metric import Metric
from shared.numbers.metrics import DEFINITIONS, METRICS, STORED

Fields = dict[str, Any]

# Distributions that every stored summary has. Do not add to these: summaries that were stored before a metric existed
# lack it, so a newer metric may be null.
IN_EVERY_SUMMARY = frozenset(
    {
        "ttft_ms",
        "ttfat_ms",
        "latency_ms",
        "tpot_ms",
        "tokens_per_second",
        "inter_chunk_latency_ms",
        "max_stall_ms",
        "ttfb_ms",
        "stream_close_ms",
        "queue_ms",
        "connect_ms",
    }
)


def with_fields(fields: Fields, *, after: str) -> Callable[[type[BaseModel]], type[BaseModel]]:
    """Decorator of a schema: inserts fields after the one named `after`. The schema may only have fields."""

    def extend(model: type[BaseModel]) -> type[BaseModel]:
        extended: Fields = {}
        for name, info in model.model_fields.items():
            extended[name] = (info.annotation, info)
            if name == after:
                extended |= fields
        return create_model(model.__name__, __doc__=model.__doc__, __module__=model.__module__, **extended)

    return extend


def defined(name: str, example: Any) -> Any:
    """A field whose description is its definition in the registry."""
    return Field(description=DEFINITIONS[name].text, examples=[example])


def result_fields() -> Fields:
    """Fields for the metrics of one request. Those that the terminal shows come first."""
    metrics = sorted((METRICS[name] for name in STORED), key=lambda metric: metric.column is None)
    return {metric.name: (_value_type(metric), defined(metric.name, metric.example)) for metric in metrics}


def _value_type(metric: Metric) -> Any:
    plain: Any = int
    if metric.kind is not int:
        # A request may cost less than a millionth of a dollar.
        plain = float if metric.name.endswith("_usd") else Number
    return plain | None if metric.nullable else plain


def summary_fields(distribution: type[BaseModel]) -> Fields:
    """Fields for the distributions of a run. Those that the terminal shows come first."""
    metrics = sorted(
        (metric for metric in METRICS.values() if metric.distributed), key=lambda metric: metric.row is None
    )
    return {metric.name: distribution_field(metric, distribution) for metric in metrics}


def distribution_field(metric: Metric, distribution: Any) -> tuple[Any, Any]:
    """Type and field of a metric's distribution in the summary."""
    text = f"Over succeeded requests without warm-up. {metric.text}"
    if metric.name in IN_EVERY_SUMMARY:
        return distribution if metric.stored else distribution | None, Field(description=text)
    if metric.stored:
        text += " Null in summaries that were stored before the metric existed."
    return distribution | None, Field(default=None, description=text)
