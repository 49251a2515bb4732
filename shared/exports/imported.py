"""What an import takes: the parts of a JSON export, as strict as a submit. For `api.files.imports`."""

import base64
import binascii
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    StringConstraints,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from shared.benchmark.prompt import STRICT
from shared.benchmark.results.outcome import Outcome
from shared.benchmark.results.record import Phase
from shared.benchmark.status import SegmentEnding, Stopped, TerminalStatus
from shared.exports.document import VERSION, portable_spec
from shared.numbers.metrics import METRICS, STORED
from shared.numbers.timeline import decode
from shared.text import refuse_unstorable

MAX_TEXT = 1_100_000
# The integers of both databases' columns.
_SMALL, _LARGE = 2**31 - 1, 2**63 - 1
# Beyond a million years in milliseconds, nothing was measured.
MAX_NUMBER = 1e15


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is no date between the years 1 and 9999 in UTC") from None


def _timeline(value: str) -> bytes:
    try:
        data = base64.b64decode(value, validate=True)
        events = decode(data)
    except (binascii.Error, ValueError):
        raise ValueError("is no timeline in base64") from None
    if any(event.offset_us > _LARGE or event.size > _LARGE for event in events):
        raise ValueError("has an event that is too late or too large")
    return data


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(refuse_unstorable)]
Word = Annotated[str, StringConstraints(max_length=500), AfterValidator(refuse_unstorable)]
Small = Annotated[int, Field(ge=0, le=_SMALL)]
Count = Annotated[int, Field(ge=0, le=_LARGE)]
Amount = Annotated[Decimal, Field(ge=0, lt=10**9, max_digits=24, decimal_places=12)]
Number = Annotated[float, Field(ge=0, le=MAX_NUMBER)]
Timeline = Annotated[str, StringConstraints(max_length=8_000_000), AfterValidator(_timeline)]


class ErrorIn(BaseModel):
    """The error of a result."""

    model_config = STRICT

    kind: Word
    message: Text
    phase: Phase
    http_status: Annotated[int, Field(ge=0, le=999)] | None = None
    provider_code: Word | None = None
    retry_after_s: Number | None = None


class _Result(BaseModel):
    """Everything of a result that is no metric."""

    model_config = STRICT

    prompt_index: Small
    repetition: Annotated[int, Field(ge=-_SMALL, le=_SMALL)]
    warmup: bool
    stage: Small | None = None
    turn: Small | None = None
    outcome: Outcome
    scheduled_at: Instant
    sent_at: Instant
    ended_at: Instant | None = None
    connection_reused: bool
    token_source: Word | None = None
    served_model: Text | None = None
    service_tier: Text | None = None
    system_fingerprint: Text | None = None
    finish_reason: Text | None = None
    error: ErrorIn | None = None
    flags: Annotated[list[Word], Field(max_length=100)]
    response: Text | None = None
    reasoning: Text | None = None
    provider_request_id: Text | None = None
    timeline: Timeline | None = None

    @model_validator(mode="after")
    def _warmup_is_negative(self) -> "_Result":
        if self.warmup != (self.repetition < 0):
            raise ValueError("warmup must be true if, and only if, repetition is negative")
        return self


def _metric_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in STORED:
        metric = METRICS[name]
        kind: Any = Count if metric.kind is int else Amount if metric.kind is Decimal else Number
        # Only those that were never null must be there.
        fields[name] = (kind | None, None) if metric.nullable else (kind, ...)
    return fields


ResultIn: type[_Result] = create_model("ResultIn", __base__=_Result, **_metric_fields())


class SegmentIn(BaseModel):
    """A segment."""

    model_config = STRICT

    fence: Count
    worker_id: Annotated[Word, Field(max_length=64)]
    started_at: Instant
    ended_at: Instant | None
    ended_by: SegmentEnding | None
    done_before: Small
    results: Small | None
    unanswered: (
        Annotated[list[Annotated[list[int], Field(min_length=2, max_length=3)]], Field(max_length=100_000)] | None
    )
    measurement: dict[str, Any] | None


class StageIn(BaseModel):
    """A stage."""

    model_config = STRICT

    number: Small
    label: dict[str, Any]
    started_at: Instant
    ended_at: Instant | None
    ended_by: Annotated[Word, Field(max_length=32)] | None
    summary: dict[str, Any] | None


class BenchmarkIn(BaseModel):
    """The benchmark itself. JSON documents in it are checked by those who show them."""

    model_config = STRICT

    id: Annotated[int, Field(ge=1, le=_LARGE)]
    name: Annotated[Word, Field(min_length=1, max_length=200)]
    model: Annotated[Word, Field(min_length=1, max_length=200)]
    provider: Annotated[Word, Field(min_length=1, max_length=63)]
    status: TerminalStatus
    stopped: Stopped | None = None
    notices: Annotated[list[Text], Field(max_length=100)]
    # Ids of datasets could be those of another owner here.
    spec: Annotated[dict[str, Any], AfterValidator(portable_spec)]
    endpoint: dict[str, Any] | None
    target: dict[str, Any] | None
    prompt_set: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None
    planned: Small
    done: Small
    errors: Small
    last_ttft_ms: Number | None
    cost_usd: Amount | None
    price: dict[str, Any] | None
    summary: dict[str, Any] | None
    error: dict[str, Any] | None
    interrupted: bool
    crashes: Small
    cancel_requested_at: Instant | None
    created_at: Instant
    started_at: Instant | None
    completed_at: Instant
    texts_deleted_at: Instant | None

    @field_validator("started_at")
    @classmethod
    def _completed_was_started(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is None and info.data.get("status") == "completed":
            raise ValueError("must be there: the benchmark has completed")
        return value


class HeadIn(BaseModel):
    """Everything but prompts and results."""

    model_config = STRICT

    format: Literal["llmbench-benchmark"]
    version: Annotated[int, Field(ge=1, le=VERSION)]
    benchmark: BenchmarkIn
    segments: Annotated[list[SegmentIn], Field(max_length=10_000)]
    stages: Annotated[list[StageIn], Field(max_length=10_000)]
