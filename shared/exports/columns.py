"""The columns of exported results. Every tabular format has the same ones; docs/exports.md lists them.

A column keeps its name, unit and meaning for good. New ones may come at any place, so readers go by the name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from shared.benchmark.results.flags import FLAGS
from shared.exports.names import Part
from shared.numbers.fields import FIELDS
from shared.numbers.metric import NEVER, Definition
from shared.numbers.metrics import METRICS, STORED

# What a cell holds; None is unknown. `instant`: ISO 8601 text in UTC. `usd`: the exact decimal as text. `words`: names,
# as the text of a JSON array. `events`: a stored timeline.
Kind = Literal["integer", "number", "boolean", "instant", "usd", "text", "words", "events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Definition):
    """A column of exported results."""

    kind: Kind


def _plain(name: str, kind: Kind, definition: str, null_when: str = NEVER, unit: str = "") -> Column:
    return Column(name=name, unit=unit, definition=definition, null_when=null_when, kind=kind)


def _defined(name: str, kind: Kind) -> Column:
    field = FIELDS[name]
    return _plain(name, kind, field.definition, field.null_when, field.unit)


def _metric(name: str) -> Column:
    metric = METRICS[name]
    kind: Kind = "integer" if metric.kind is int else "usd" if metric.kind is Decimal else "number"
    return _plain(name, kind, metric.definition, metric.null_when, metric.unit)


_SUCCEEDED = "the request succeeded"
_NO_TEXT = "there was none, or retention has deleted it"

COLUMNS: Sequence[Column] = (
    _plain("benchmark_id", "integer", "Id of the benchmark on the server that wrote the export"),
    _plain("id", "integer", "Id of the result on that server. Rows are in its order, in which results were stored"),
    _plain("prompt_index", "integer", "Place of the prompt in `prompts`, from 0"),
    _plain("repetition", "integer", "0 for the first time a prompt is sent, then 1, 2, …; negative for warm-up"),
    _plain("warmup", "boolean", "Whether it was sent before the measured requests. Statistics leave such requests out"),
    _plain("stage", "integer", "Number of its stage", "the benchmark has no `load`"),
    _plain("turn", "integer", "Which turn of its conversation it is, from 0", "the workload has no conversations"),
    _defined("outcome", "text"),
    _defined("scheduled_at", "instant"),
    _defined("sent_at", "instant"),
    _defined("ended_at", "instant"),
    *(_metric(name) for name in STORED),
    _defined("connection_reused", "boolean"),
    _defined("token_source", "text"),
    _defined("served_model", "text"),
    _defined("service_tier", "text"),
    _defined("system_fingerprint", "text"),
    _plain("finish_reason", "text", "Why the model stopped, in the provider's word", "it did not say"),
    _plain("error_kind", "text", "Kind of error: `rate_limited`, `ttft_timeout`, `truncated`, …", _SUCCEEDED),
    _plain(
        "error_phase",
        "text",
        "How far the request got: `connect`, `before_first_token` or `mid_stream`",
        _SUCCEEDED,
    ),
    _plain("error_http_status", "integer", "Status of an error answer", "there was no error answer"),
    _plain("error_provider_code", "text", "The provider's own error code or type", "it gave none"),
    _plain("error_retry_after_s", "number", "How long the provider asked to wait", "it did not ask", "s"),
    _plain("error_message", "text", "The error in the provider's words or in ours", _SUCCEEDED),
    _plain(
        "flags",
        "words",
        f"What is unusual about the answer: {', '.join(f'`{name}`' for name in sorted(FLAGS))}. "
        "In CSV separated by spaces, in Parquet too; in JSON an array",
    ),
    _plain("provider_request_id", "text", "The provider's id of the request", "it gave none"),
)

PART_COLUMNS: dict[Part, Column] = {
    "prompt": _plain("prompt", "text", "The prompt's last user turn, in full", "it cannot be made again"),
    "response": _plain("response", "text", "Visible text of the answer, at most 1,000,000 characters", _NO_TEXT),
    "reasoning": _plain("reasoning", "text", "Text of the model's reasoning", _NO_TEXT),
    "timeline": _plain(
        "timeline",
        "events",
        "Every event of the answer. In JSON an array of `{offset_ms, kind, size}`; in CSV and Parquet "
        "`offset_ms:kind:size`, separated by spaces",
        "it was not stored",
    ),
}


def columns_with(parts: Sequence[Part]) -> Sequence[Column]:
    """All columns of an export with these parts, in order."""
    return (*COLUMNS, *(column for part, column in PART_COLUMNS.items() if part in parts))
