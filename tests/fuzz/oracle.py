"""What must hold for the record of any answer. It reads the bytes in a way of its own, not with the decoder."""

import math
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from shared.benchmark.results.flags import FLAGS
from shared.benchmark.results.outcome import OUTCOMES
from shared.benchmark.results.record import Phase, ResultRecord, Usage
from shared.numbers.metrics import MEASURED
from shared.numbers.timeline import decode
from shared.text import unstorable_parts
from tests.fuzz.evidence import ends
from tests.fuzz.sent import Sent

MOST_TOKENS = 1_000_000_000
MOST_USD = Decimal(10) ** 12
MOST_TEXT, MOST_MESSAGE, MOST_WORD = 1_000_000, 2_000, 200


def problems(sent: Sent, record: ResultRecord) -> list[str]:
    """What is wrong with the record; each problem begins with its kind, before a colon."""
    return [*_outcome(sent, record), *_numbers(record), *_texts(record), *_times(record)]


def _outcome(sent: Sent, record: ResultRecord) -> Iterator[str]:
    if record.outcome not in OUTCOMES:
        yield f"unknown outcome: {record.outcome}"
    if record.outcome == "succeeded":
        if record.error is not None:
            yield f"a success with an error: {record.error}"
        if sent.status is None or not 200 <= sent.status < 300:
            yield f"a success with a status that is none: {sent.status}"
        if not ends(sent):
            yield "a success without an end: no terminal event is in the bytes"
    elif record.error is None:
        yield f"no error: {record.outcome}"
    elif not record.error.kind or not record.error.message.strip() or record.error.phase not in get_args(Phase):
        yield f"an error that says nothing: {record.error}"
    elif record.error.kind == "unreadable_answer":
        yield f"unreadable: {record.error}"
    if strange := set(record.flags) - set(FLAGS):
        yield f"unknown flags: {sorted(strange)}"
    if len(set(record.flags)) != len(record.flags):
        yield f"a flag twice: {record.flags}"


def _numbers(record: ResultRecord) -> Iterator[str]:
    if set(record.metrics) != set(MEASURED):
        yield f"other metrics than registered: {sorted(record.metrics)}"
    for name, value in record.metrics.items():
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
            yield f"metric out of range: {name} = {value!r}"
    for item in fields(Usage):
        count = getattr(record.usage, item.name)
        if count is not None and (not isinstance(count, int) or not 0 <= count <= MOST_TOKENS):
            yield f"tokens out of range: {item.name} = {count!r}"
    for name in ("uncached_input_tokens", "total_input_tokens"):
        count = getattr(record.usage, name)
        if count is not None and not 0 <= count <= MOST_TOKENS:
            yield f"tokens out of range: {name} = {count!r}"
    for name in ("cost_usd", "provider_cost_usd"):
        cost = getattr(record, name)
        # What the column holds: 12 digits before the point, and 12 after it.
        if cost is not None and not (cost.is_finite() and 0 <= cost < MOST_USD):
            yield f"cost out of range: {name} = {cost!r}"
    wait = record.error.retry_after_s if record.error is not None else None
    if wait is not None and not (math.isfinite(wait) and wait >= 0):
        yield f"wait out of range: {wait!r}"
    status = record.error.http_status if record.error is not None else None
    if status is not None and not 0 <= status <= 999:
        yield f"status out of range: {status!r}"


def _texts(record: ResultRecord) -> Iterator[str]:
    error = record.error.document() if record.error is not None else {}
    texts: dict[str, tuple[Any, int]] = {
        "response": (record.response, MOST_TEXT),
        "reasoning": (record.reasoning, MOST_TEXT),
        "error.kind": (error.get("kind"), 64),
        "error.message": (error.get("message"), MOST_MESSAGE),
        "error.provider_code": (error.get("provider_code"), MOST_WORD),
        **{
            name: (getattr(record, name), MOST_WORD)
            for name in ("finish_reason", "provider_request_id", "served_model", "service_tier", "system_fingerprint")
        },
    }
    for name, (text, most) in texts.items():
        if text is None:
            continue
        if not isinstance(text, str):
            yield f"no text: {name} = {text!r}"
            continue
        if len(text) > most:
            yield f"text too long: {name} has {len(text)} characters"
        yield from (f"unstorable text: {name} {problem}" for _, problem in unstorable_parts(text))


def _times(record: ResultRecord) -> Iterator[str]:
    times = (record.scheduled_at, record.sent_at, record.ended_at)
    if not all(isinstance(at, datetime) and at.tzinfo is not None for at in times):
        yield f"no instants: {times}"
    elif record.ended_at < record.sent_at:
        yield f"ended before it was sent: {record.ended_at} < {record.sent_at}"
    events = decode(record.timeline) if record.timeline is not None else []
    offsets = [event.offset_us for event in events]
    if offsets != sorted(offsets) or any(offset < 0 for offset in offsets) or any(event.size < 0 for event in events):
        yield "timeline goes back: its offsets or sizes are not in order"
    # Offsets are rounded, instants are cut off, to a microsecond.
    length_ms = (record.ended_at - record.sent_at).total_seconds() * 1e3 + 0.002
    if record.latency_ms is not None and record.latency_ms > length_ms:
        yield f"text after the end: {record.latency_ms} ms of {length_ms} ms"
    order = ("ttfb_ms", "ttft_ms", "latency_ms", "stream_close_ms")
    known = [value for name in order if (value := record.metrics[name]) is not None]
    if known != sorted(known):
        yield f"times out of order: {known}"
