"""Writes the tables of docs/metrics.md from the registry of metrics. `shared.benchmark.documentation` calls it."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from shared.numbers.fields import FIELDS
from shared.numbers.metric import Definition
from shared.numbers.metrics import METRICS


def with_tables(page: str, more: Mapping[str, str] = MappingProxyType({})) -> str:
    """The page with a new table in each part between `<!-- table: … -->` and `<!-- end -->`.

    `more`: further tables by name. A part whose table is not known stays as it is.
    """
    parts = {"metrics": _metrics(), "fields": _table(FIELDS.values()), **more}
    return re.sub(
        r"(?<=<!-- table: )(\w+) -->\n(.*?)(?=<!-- end -->)",
        lambda found: f"{found[1]} -->\n{parts.get(found[1], found[2])}",
        page,
        flags=re.DOTALL,
    )


def _metrics() -> str:
    sortable = _listed(metric for metric in METRICS.values() if metric.sortable)
    distributed = _listed(metric for metric in METRICS.values() if metric.distributed)
    return (
        f"{_table(METRICS.values())}\n"
        f"Results can be sorted by `id`, {sortable}.\n\n"
        f"The summary has a distribution of {distributed}.\n"
    )


def _table(definitions: Iterable[Definition]) -> str:
    rows = [f"| `{item.name}` | {item.unit or '–'} | {item.definition} | {item.null_when} |" for item in definitions]
    return "\n".join(["| field | unit | definition | null when |", "|---|---|---|---|", *rows, ""])


def _listed(definitions: Iterable[Definition]) -> str:
    return ", ".join(f"`{item.name}`" for item in definitions)
