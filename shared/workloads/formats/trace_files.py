"""Reads traces: Mooncake's JSON lines, and the CSV files of Azure's LLM inference traces and of BurstGPT."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from shared.workloads.formats.jsonl import decoded
from shared.workloads.formats.lines import NumberedLine
from shared.workloads.formats.report import Report
from shared.workloads.formats.table import records, whole_number
from shared.workloads.rows import TraceRow

# Tokens that each of Mooncake's hash ids stands for.
BLOCK_TOKENS = 512
MAX_INPUT_TOKENS = 10_000_000
MAX_OUTPUT_TOKENS = 1_000_000
# A year, so that stamps fit into 64 bits of nanoseconds many times over.
MAX_SECONDS = 366 * 86_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")


class _Request(msgspec.Struct):
    timestamp: float
    input_length: int
    output_length: int
    hash_ids: list[int] = []


def read_mooncake(lines: Iterable[NumberedLine], report: Report) -> Iterator[TraceRow]:
    """`timestamp` in ms, `input_length`, `output_length`, `hash_ids` of blocks of 512 tokens."""
    decoder = msgspec.json.Decoder(_Request)
    for number, line in lines:
        if not line.strip():
            continue
        try:
            request = decoded(line, decoder)
            at_ns = _nanoseconds(request.timestamp / 1e3, "timestamp")
            needed = math.ceil(request.input_length / BLOCK_TOKENS)
            if len(request.hash_ids) > max(needed, 0):
                raise ValueError(
                    f"hash_ids: has {len(request.hash_ids):,} blocks of {BLOCK_TOKENS} tokens, more than "
                    f"input_length {request.input_length:,} has"
                )
            if any(abs(block) >= 2**63 for block in request.hash_ids):
                raise ValueError("hash_ids: must be 64-bit numbers")
            row = _row(at_ns, request.input_length, request.output_length, report, tuple(request.hash_ids))
        except ValueError as exc:
            report.wrong(number, str(exc))
            continue
        if row is not None:
            yield row


def read_azure(lines: Iterable[NumberedLine], report: Report) -> Iterator[TraceRow]:
    """`TIMESTAMP` with up to 9 digits of a second, `ContextTokens`, `GeneratedTokens`. The first stamp is zero."""
    first_ns: int | None = None

    def at(record: Mapping[str, str]) -> int:
        nonlocal first_ns
        stamp = _date_ns(record["TIMESTAMP"])
        first_ns = stamp if first_ns is None else first_ns
        if abs(stamp - first_ns) > MAX_SECONDS * 10**9:
            raise ValueError("TIMESTAMP: is more than a year from the first one")
        return stamp - first_ns

    return _table(lines, report, ("TIMESTAMP", "ContextTokens", "GeneratedTokens"), at)


def read_burstgpt(lines: Iterable[NumberedLine], report: Report) -> Iterator[TraceRow]:
    """`Timestamp` in s, `Request tokens`, `Response tokens`. No response tokens mean that the request had failed."""

    def at(record: Mapping[str, str]) -> int:
        try:
            seconds = float(record["Timestamp"])
        except ValueError:
            raise ValueError("Timestamp: must be a number of seconds") from None
        return _nanoseconds(seconds, "Timestamp")

    return _table(lines, report, ("Timestamp", "Request tokens", "Response tokens"), at, none="failed_request")


def _table(
    lines: Iterable[NumberedLine],
    report: Report,
    columns: tuple[str, str, str],
    at: Callable[[Mapping[str, str]], int],
    none: str = "no_output_tokens",
) -> Iterator[TraceRow]:
    for number, record in records(lines, report, columns):
        try:
            given, generated = (whole_number(record[name], name) for name in columns[1:])
            row = _row(at(record), given, generated, report, none=none)
        except ValueError as exc:
            report.wrong(number, str(exc))
            continue
        if row is not None:
            yield row


def _row(
    at_ns: int,
    input_tokens: int,
    output_tokens: int,
    report: Report,
    hash_ids: tuple[int, ...] = (),
    none: str = "no_output_tokens",
) -> TraceRow | None:
    """None for a request that cannot be sent again; `none`: why, if it has no output tokens."""
    if not 0 <= input_tokens <= MAX_INPUT_TOKENS or not 0 <= output_tokens <= MAX_OUTPUT_TOKENS:
        raise ValueError(
            f"must have 0 to {MAX_INPUT_TOKENS:,} input tokens and 0 to {MAX_OUTPUT_TOKENS:,} output tokens"
        )
    if not output_tokens:
        report.leave_out(none)
        return None
    if not input_tokens:
        report.leave_out("no_input_tokens")
        return None
    return TraceRow(at_ns, input_tokens, output_tokens, hash_ids)


def _nanoseconds(seconds: float, name: str) -> int:
    if not math.isfinite(seconds) or not 0 <= seconds <= 100 * MAX_SECONDS:
        raise ValueError(f"{name}: must not be negative, and at most {100 * MAX_SECONDS:,} s")
    # Exact to the microsecond also for seconds since 1970.
    return round(seconds * 1e6) * 1_000


def _date_ns(text: str) -> int:
    """Nanoseconds since 1970. A date without a zone is UTC."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError("TIMESTAMP: must be a date such as 2023-11-16 18:17:03.9799600")
    whole, fraction, zone = found.groups()
    try:
        instant = datetime.fromisoformat(whole + (zone or "Z"))
    except ValueError as exc:
        raise ValueError(f"TIMESTAMP: {exc}") from None
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + int((fraction or "0").ljust(9, "0"))
