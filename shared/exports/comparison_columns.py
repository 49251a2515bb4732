"""The columns of an exported comparison: one row for each statistic of each benchmark. docs/exports.md lists them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from shared.comparison.measure import Statistic
from shared.numbers.metric import NEVER, Definition

_NO_DIFFERENCE = "it is the reference, or there are too few values"
_TOO_FEW = "there are too few values"
_STATISTICS = get_args(Statistic)


def _column(name: str, definition: str, null_when: str = NEVER) -> Definition:
    return Definition(name=name, unit="", definition=definition, null_when=null_when)


COLUMNS: Sequence[Definition] = (
    _column("metric", "Name of the metric"),
    _column(
        "statistic",
        f"What of it is compared: {', '.join(f'`{name}`' for name in _STATISTICS[:-1])} or `{_STATISTICS[-1]}`",
    ),
    _column("unit", "Unit of values, differences and intervals in this row"),
    _column("better", "Which values are better: `lower` or `higher`"),
    _column("reference_id", "Id of the benchmark that the others are compared with"),
    _column("benchmark_id", "Id of the benchmark of this row"),
    _column("name", "Its name, as submitted"),
    _column("n", "Values that it comes from"),
    _column("value", "The statistic", _TOO_FEW),
    _column("value_low", "Lower end of its 95 % interval", _TOO_FEW),
    _column("value_high", "Upper end of its 95 % interval", _TOO_FEW),
    _column("difference", "Its value less that of the reference", _NO_DIFFERENCE),
    _column("difference_low_95", "Lower end of the 95 % interval of the difference", _NO_DIFFERENCE),
    _column("difference_high_95", "Upper end of the 95 % interval of the difference", _NO_DIFFERENCE),
    _column("difference_low_90", "Lower end of the 90 % interval of the difference", _NO_DIFFERENCE),
    _column("difference_high_90", "Upper end of the 90 % interval of the difference", _NO_DIFFERENCE),
    _column("ratio", "Its value divided by that of the reference", _NO_DIFFERENCE),
    _column("ratio_low_95", "Lower end of the 95 % interval of the ratio", _NO_DIFFERENCE),
    _column("ratio_high_95", "Upper end of the 95 % interval of the ratio", _NO_DIFFERENCE),
    _column("margin", "Differences up to this do not matter", _NO_DIFFERENCE),
    _column(
        "verdict",
        "`different`, `too_small_to_matter`, `practically_equal`, `too_early` or `withheld`",
        "it is the reference",
    ),
    _column("sentence", "The difference in words", "it is the reference"),
)
NAMES: Sequence[str] = tuple(column.name for column in COLUMNS)


def rows_of(comparison: Mapping[str, Any]) -> Iterator[list[Any]]:
    """The rows of a document of `GET /compare`."""
    names = {run["id"]: run["name"] for run in comparison["runs"]}
    for metric in comparison["metrics"]:
        differences = {item["id"]: item for item in metric["differences"]}
        for value in metric["values"]:
            found = differences.get(value["id"], {})
            yield [
                *(metric["metric"], metric["statistic"], metric["unit"], metric["better"]),
                *(comparison["reference"], value["id"], names[value["id"]], value["n"]),
                *(value["value"], *_ends(value["interval"])),
                *(found.get("difference"), *_ends(found.get("interval_95")), *_ends(found.get("interval_90"))),
                *(found.get("ratio"), *_ends(found.get("ratio_interval")), found.get("margin")),
                *(found.get("verdict"), found.get("sentence")),
            ]


def _ends(interval: Sequence[float] | None) -> Sequence[float | None]:
    return (None, None) if interval is None else interval
