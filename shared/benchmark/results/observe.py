"""Results as an aggregate sees them: from a record that has just been measured, or from a stored row."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import sub
from typing import Any, Protocol

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.observed import Observed
from shared.benchmark.results.record import ResultRecord
from shared.numbers.digest import Digest
from shared.numbers.metrics import DISTRIBUTED, REPORTED
from shared.numbers.time_series import TimeSeries
from shared.numbers.timeline import TOKEN_KINDS, decode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = tuple(dict.fromkeys((*DISTRIBUTED, "latency_ms", "stream_close_ms")))


class StoredResult(Protocol):
    """The columns of a stored result that an aggregate reads; metrics and token counts are read by name."""

    prompt_index: int
    repetition: int
    warmup: bool
    outcome: str
    sent_at: datetime
    ended_at: datetime | None
    stream_close_ms: float | None
    latency_ms: float | None
    queue_ms: float
    output_tokens: int | None
    cost_usd: Decimal | None
    provider_cost_usd: Decimal | None
    served_model: str | None
    service_tier: str | None
    finish_reason: str | None
    error: dict[str, Any] | None
    flags: list[str]
    timeline: bytes | None


def of_record(record: ResultRecord) -> Observed:
    """A result that has just been measured."""
    return Observed(
        id=record.id,
        prompt_index=record.prompt_index,
        repetition=record.repetition,
        warmup=record.warmup,
        outcome=record.outcome,
        sent_us=epoch_us(record.sent_at),
        ended_us=epoch_us(record.ended_at),
        queue_ms=record.metrics["queue_ms"] or 0.0,
        metrics=record.metrics,
        counts={name: getattr(record.usage, name) for name in REPORTED},
        cost_usd=record.cost_usd,
        provider_cost_usd=record.provider_cost_usd,
        served_model=record.served_model,
        service_tier=record.service_tier,
        finish_reason=record.finish_reason,
        error_kind=record.error.kind if record.error is not None else None,
        flags=record.flags,
        gaps_ms=record.gaps_ms,
        tokens=record.tokens_over_time,
        network_rtt_ms=record.network_rtt_ms,
        send_delay_ms=record.send_delay_ms,
    )


def of_row(row: StoredResult, request_id: RequestId) -> Observed:
    """A stored result. Its timeline must be loaded if it has one."""
    gaps_ms = tokens = None
    counts: Mapping[str, int | None] = {name: getattr(row, name) for name in REPORTED}
    if row.timeline is not None:
        offsets_us = [event.offset_us for event in decode(row.timeline) if event.kind in TOKEN_KINDS]
        gaps_ms = gaps_of(offsets_us)
        tokens = tokens_of(offsets_us, epoch_us(row.sent_at), row.output_tokens)
    return Observed(
        id=request_id,
        prompt_index=row.prompt_index,
        repetition=row.repetition,
        warmup=row.warmup,
        outcome=row.outcome,
        sent_us=epoch_us(row.sent_at),
        ended_us=_ended_us(row),
        queue_ms=row.queue_ms,
        metrics={name: getattr(row, name) for name in _NAMES},
        counts=counts,
        cost_usd=row.cost_usd,
        provider_cost_usd=row.provider_cost_usd,
        served_model=row.served_model,
        service_tier=row.service_tier,
        finish_reason=row.finish_reason,
        error_kind=str(row.error["kind"]) if row.error else None,
        flags=row.flags,
        gaps_ms=gaps_ms,
        tokens=tokens,
    )


def _ended_us(row: StoredResult) -> int:
    """When the request was over. Older versions did not store it: then when its stream or its last content ended."""
    if row.ended_at is not None:
        return epoch_us(row.ended_at)
    length_ms = row.latency_ms if row.stream_close_ms is None else row.stream_close_ms
    return epoch_us(row.sent_at) + round((length_ms or 0) * 1_000)


def gaps_of(offsets_us: Sequence[int]) -> Digest:
    """Gaps in ms between successive content events at these offsets (µs)."""
    return Digest.of_microseconds([later - earlier for earlier, later in pairwise(offsets_us)])


def tokens_of(offsets_us: Sequence[int], sent_us: int, output_tokens: int | None) -> TimeSeries:
    """Output tokens by time, shared equally among the content events. Empty if `output_tokens` is unknown."""
    events = len(offsets_us)
    if not output_tokens or not events:
        return TimeSeries()
    # Each share is a whole number, and together they are `output_tokens`.
    edges = [number * output_tokens // events for number in range(events + 1)]
    return TimeSeries.of([sent_us + offset_us for offset_us in offsets_us], list(map(sub, edges[1:], edges)))


def epoch_us(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)
