"""The JSON export of a whole benchmark: everything that `POST /import` needs, written line by line.

`{"format", "version", "benchmark", "segments", "stages", "prompts", "results"}`. A field that is left out of a result
is null. Amounts are texts, so that no reader rounds them; timelines are in base64, as `shared.numbers.timeline` encodes
them.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from shared.exports.cells import RawColumns, instant_text, usd_text

FORMAT = "llmbench-benchmark"
VERSION = 1

# Fields of a benchmark's row that are exported as they are. Its lease, its webhook and the number of the benchmark that
# it repeats mean nothing on another server.
BENCHMARK_FIELDS = (
    *("id", "name", "model", "provider", "status", "notices", "endpoint", "target", "prompt_set", "planned", "done"),
    *("errors", "last_ttft_ms", "cost_usd", "price", "summary", "error", "interrupted", "crashes"),
    *("cancel_requested_at", "created_at", "started_at", "completed_at", "texts_deleted_at"),
)
SEGMENT_FIELDS = (
    *("fence", "worker_id", "started_at", "ended_at", "ended_by", "done_before", "results", "unanswered"),
    "measurement",
)
STAGE_FIELDS = ("number", "label", "started_at", "ended_at", "ended_by", "summary")

_INSTANTS = ("scheduled_at", "sent_at", "ended_at")
_AMOUNTS = ("cost_usd", "provider_cost_usd")
_BOOLEANS = ("warmup", "connection_reused")
_TEXTS_OF_JSON = ("error", "flags")
# A result's own number on this server.
_LEFT_OUT = ("id",)


def head(benchmark: Any, segments: Iterable[Any], stages: Iterable[Any]) -> bytes:
    """The document up to its prompts. The arguments are rows, or have their attributes."""
    row = {**_fields(benchmark, BENCHMARK_FIELDS), "spec": portable_spec(benchmark.spec_document)}
    if benchmark.stopped is not None:
        # Servers of the version before refuse a field that they do not know.
        row["stopped"] = benchmark.stopped
    parts = {
        "format": FORMAT,
        "version": VERSION,
        "benchmark": row,
        "segments": [_fields(segment, SEGMENT_FIELDS) for segment in segments],
        "stages": [_fields(stage, STAGE_FIELDS) for stage in stages],
    }
    lines = ",\n".join(f'"{name}":{orjson.dumps(value).decode()}' for name, value in parts.items())
    return f'{{{lines},\n"prompts":['.encode()


def prompt_item(index: int, document: str) -> bytes:
    """An item of `prompts`. `document`: as it is stored."""
    return orjson.dumps({"prompt_index": index, **orjson.loads(document)})


BETWEEN = b'\n],\n"results":['
END = b"\n]}\n"


def joined(items: Sequence[bytes], *, first: bool) -> bytes:
    """Items of an array, each on a line of its own. `first`: the array has none before them."""
    if not items:
        return b""
    return (b"\n" if first else b",\n") + b",\n".join(items)


def result_items(raw: RawColumns) -> list[bytes]:
    """The items of `results`, from columns as the database returns them."""
    names = [name for name in raw if name not in _LEFT_OUT]
    columns = [_column(name, raw[name]) for name in names]
    return [
        orjson.dumps({name: value for name, value in zip(names, row, strict=True) if value is not None})
        for row in zip(*columns, strict=True)
    ]


def _column(name: str, values: Sequence[Any]) -> Sequence[Any]:
    if name in _INSTANTS:
        return [instant_text(value) if isinstance(value, datetime) else value for value in values]
    if name in _AMOUNTS:
        return [None if value is None else usd_text(value) for value in values]
    if name in _BOOLEANS:
        return [bool(value) for value in values]
    if name in _TEXTS_OF_JSON:
        return [None if value is None else orjson.Fragment(value) for value in values]
    if name == "timeline":
        return [None if value is None else base64.b64encode(value).decode() for value in values]
    return values


def portable_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A stored spec without the ids of datasets, which are others on another server. Their hashes stay."""
    workload = spec.get("workload")
    if not isinstance(workload, Mapping):
        return dict(spec)
    changed = dict(workload)
    for source in ("dataset", "trace"):
        if isinstance(changed.get(source), Mapping):
            changed[source] = {name: value for name, value in changed[source].items() if name != "id"}
    return {**spec, "workload": changed}


def _fields(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    return usd_text(value) if isinstance(value, Decimal) else value
