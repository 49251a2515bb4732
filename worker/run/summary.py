"""The summary of a run, computed from its stored results, so that a resumed run is summed up like any other."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol

from shared.benchmark.outcome import OUTCOMES
from shared.db.segments import Slot
from shared.numbers.metrics import DISTRIBUTED, chunk_gaps_ms
from shared.numbers.statistics import distribution
from shared.numbers.timeline import TOKEN_KINDS, decode

TOKEN_FIELDS = ("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens")


class StoredResult(Protocol):
    """The columns of `results` that a summary reads; metrics are read by name."""

    prompt_index: int
    repetition: int
    warmup: bool
    outcome: str
    sent_at: datetime
    queue_ms: float
    latency_ms: float | None
    stream_close_ms: float | None
    output_tokens: int | None
    cost_usd: Decimal | None
    error: dict[str, Any] | None
    flags: list[str]
    timeline: bytes | None


@dataclass(slots=True)
class _Span:
    """When a request was in flight."""

    sent_at: datetime
    ended_at: datetime
    succeeded: bool
    # (arrival of a content event, tokens that it stands for)
    tokens: list[tuple[datetime, float]] = field(default_factory=list)


class SummaryBuilder:
    """Takes results one by one, in any order; `document()` is the summary."""

    def __init__(
        self,
        *,
        planned: int,
        concurrency: int,
        interrupted: bool,
        request_rate: float | None = None,
        unanswered: Mapping[Slot, int] = MappingProxyType({}),
    ) -> None:
        """`unanswered`: requests that may have been sent without their answer being stored, and how often."""
        self._planned = planned
        self._concurrency = concurrency
        self._interrupted = interrupted
        self._request_rate = request_rate
        self._outcomes: Counter[str] = Counter()
        self._error_kinds: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()
        self._values: dict[str, list[float]] = {name: [] for name in DISTRIBUTED}
        self._effective_ms: list[float] = []
        self._error_ms: list[float] = []
        self._gaps: list[float] = []
        self._timelines_missing = False
        self._tokens: dict[str, int | None] = dict.fromkeys(TOKEN_FIELDS)
        self._spans: list[_Span] = []
        self._warmup = 0
        self._cost: Decimal | None = None
        self._warmup_cost: Decimal | None = None
        self._unpriced = 0
        self._unanswered = unanswered
        self._duplicates_priced = 0
        self._duplicate_cost: Decimal | None = None

    def add(self, result: StoredResult) -> None:
        """Counts a result. Warm-up counts for cost alone; a cancelled request stays out of all statistics."""
        self._add_duplicates(result)
        if result.warmup:
            self._warmup += 1
            self._warmup_cost = _plus(self._warmup_cost, result.cost_usd)
            return
        self._outcomes[result.outcome] += 1
        self._cost = _plus(self._cost, result.cost_usd)
        self._unpriced += result.cost_usd is None
        self._flags.update(result.flags)
        for name in TOKEN_FIELDS:
            value = getattr(result, name)
            if value is not None:
                self._tokens[name] = (self._tokens[name] or 0) + value
        if result.outcome == "succeeded":
            for name in DISTRIBUTED:
                value = getattr(result, name)
                if value is not None:
                    self._values[name].append(value)
            if result.latency_ms is not None:
                self._effective_ms.append(result.queue_ms + result.latency_ms)
            self._add_timeline(result)
        else:
            if result.error:
                self._error_kinds[str(result.error["kind"])] += 1
            if result.outcome != "cancelled":
                self._spans.append(_span(result))
                if result.stream_close_ms is not None:
                    self._error_ms.append(result.stream_close_ms)

    def _add_duplicates(self, result: StoredResult) -> None:
        """What was sent in vain will have cost about what the answer did that was kept."""
        times = self._unanswered.get((result.prompt_index, result.repetition), 0)
        if times and result.cost_usd is not None:
            self._duplicates_priced += times
            self._duplicate_cost = _plus(self._duplicate_cost, times * result.cost_usd)

    def _add_timeline(self, result: StoredResult) -> None:
        span = _span(result)
        self._spans.append(span)
        if result.timeline is None:
            self._timelines_missing = True
            return
        timeline = decode(result.timeline)
        self._gaps += chunk_gaps_ms(timeline)
        arrivals = [event.offset_us for event in timeline if event.kind in TOKEN_KINDS]
        if arrivals and result.output_tokens:
            share = result.output_tokens / len(arrivals)
            span.tokens = [(result.sent_at + timedelta(microseconds=offset), share) for offset in arrivals]

    @property
    def succeeded(self) -> int:
        """Measured requests that succeeded."""
        return self._outcomes["succeeded"]

    @property
    def failed(self) -> int:
        """Measured requests that failed for a reason that is not our cancel."""
        return sum(self._outcomes[name] for name in ("errored", "timed_out", "truncated"))

    @property
    def whole(self) -> bool:
        """Every planned request has a result, and none was cut short by our cancel."""
        return sum(self._outcomes.values()) + self._warmup >= self._planned and not self._outcomes["cancelled"]

    @property
    def commonest_error(self) -> str | None:
        """The error kind that was seen most."""
        return self._error_kinds.most_common(1)[0][0] if self._error_kinds else None

    def document(self) -> dict[str, Any]:
        """The summary as JSON: counts, distributions, throughput, tokens, cost."""
        active_s = self._active_s()
        output_tokens = sum(tokens for span in self._spans for _, tokens in span.tokens)
        return {
            "requests": {
                "planned": self._planned,
                "warmup": self._warmup,
                **{name: self._outcomes[name] for name in OUTCOMES},
            },
            "error_kinds": dict(sorted(self._error_kinds.items())),
            "flags": dict(sorted(self._flags.items())),
            **{name: distribution(self._values[name]) for name in DISTRIBUTED},
            "effective_latency_ms": distribution(self._effective_ms) if self._request_rate is not None else None,
            "inter_chunk_latency_ms": distribution(self._gaps) if not self._timelines_missing else None,
            "error_latency_ms": distribution(self._error_ms),
            "duration_s": active_s,
            "request_throughput": self.succeeded / active_s if active_s else None,
            "output_token_throughput": output_tokens / active_s
            if active_s and output_tokens and not self._timelines_missing
            else None,
            "steady_window": self._steady_window(),
            "concurrency": {"requested": self._concurrency, "peak": self._peak()},
            "request_rate": self._rate(),
            "tokens": dict(self._tokens),
            "cost": {
                "total_usd": _text(_plus(self._cost, self._warmup_cost)),
                "measured_usd": _text(self._cost),
                "warmup_usd": _text(self._warmup_cost),
                "per_succeeded_usd": _text(
                    (self._cost / self.succeeded).quantize(Decimal("1e-12"))
                    if self._cost is not None and self.succeeded
                    else None
                ),
                "unpriced_requests": self._unpriced,
            },
            "possible_duplicates": {
                "requests": sum(self._unanswered.values()),
                "cost_usd": _text(self._duplicate_cost),
                "unpriced_requests": sum(self._unanswered.values()) - self._duplicates_priced,
            },
            "interrupted": self._interrupted,
        }

    def _active_s(self) -> float | None:
        """First sent to last end; after an interruption only the time in which something was in flight."""
        if not self._spans:
            return None
        if not self._interrupted:
            first = min(span.sent_at for span in self._spans)
            return (max(span.ended_at for span in self._spans) - first).total_seconds() or None
        total, until = timedelta(), None
        for span in sorted(self._spans, key=lambda item: item.sent_at):
            begin = span.sent_at if until is None else max(span.sent_at, until)
            if span.ended_at > begin:
                total += span.ended_at - begin
                until = span.ended_at
        return total.total_seconds() or None

    def _peak(self) -> int:
        """Most requests in flight at the same time."""
        edges = [(span.sent_at, 1) for span in self._spans] + [(span.ended_at, -1) for span in self._spans]
        peak = level = 0
        for _, step in sorted(edges):
            level += step
            peak = max(peak, level)
        return peak

    def _rate(self) -> dict[str, Any] | None:
        """Of an open loop: requests sent per second between the first and the last, beside what was asked for."""
        if self._request_rate is None:
            return None
        sent = [span.sent_at for span in self._spans]
        seconds = (max(sent) - min(sent)).total_seconds() if sent and not self._interrupted else 0
        return {"requested": self._request_rate, "achieved": (len(sent) - 1) / seconds if seconds else None}

    def _steady_window(self) -> dict[str, Any] | None:
        """From the end of the first wave to the moment in-flight falls below target; null where there is none.

        An open loop has no target: it is as steady as its schedule.
        """
        if self._interrupted or self._request_rate is not None or len(self._spans) <= self._concurrency:
            return None
        by_start = sorted(self._spans, key=lambda item: item.sent_at)
        begin = max(span.ended_at for span in by_start[: self._concurrency])
        last_sent = by_start[-1].sent_at
        end = min((span.ended_at for span in self._spans if span.ended_at >= last_sent), default=last_sent)
        seconds = (end - begin).total_seconds()
        if seconds <= 0:
            return None
        ended = sum(span.succeeded and begin < span.ended_at <= end for span in self._spans)
        tokens = sum(count for span in self._spans for at, count in span.tokens if begin < at <= end)
        return {
            "duration_s": seconds,
            "request_throughput": ended / seconds,
            "output_token_throughput": tokens / seconds if tokens and not self._timelines_missing else None,
        }


def _span(result: StoredResult) -> _Span:
    # A stream that was cut off has no end of its own; its last content is the last that is known of it.
    length_ms = result.stream_close_ms if result.stream_close_ms is not None else result.latency_ms
    ended_at = result.sent_at + timedelta(milliseconds=length_ms or 0)
    return _Span(result.sent_at, ended_at, result.outcome == "succeeded")


def _plus(total: Decimal | None, value: Decimal | None) -> Decimal | None:
    """Unknown is not zero: the sum of nothing known is unknown."""
    return total if value is None else (total or Decimal(0)) + value


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
