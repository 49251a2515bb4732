"""Measures one request: stamps to events, deadlines, outcome, record. One measurer stamps for every adapter."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock
from shared.metrics import compute
from shared.results import Outcome, Phase, RequestError, ResultRecord, Usage
from shared.spec import Timeouts
from shared.text import replace_unstorable
from shared.timeline import TOKEN_KINDS, EventKind, TimelineEvent, encode
from worker.engine.adapters.base import Adapter, StreamDecoder
from worker.engine.events import (
    Content,
    Done,
    Failure,
    Finish,
    Ping,
    Reasoning,
    StreamEvent,
    ToolCall,
    UsageReport,
)
from worker.engine.transport import Transport, TransportFailed, Wire

# Kept connections that may turn out to be closed before a request is sent on a new one for sure.
MAX_STALE_CONNECTIONS = 3

_KINDS: dict[type[Any], EventKind] = {
    Content: EventKind.CONTENT,
    Reasoning: EventKind.REASONING,
    ToolCall: EventKind.TOOL,
    UsageReport: EventKind.USAGE,
    Finish: EventKind.FINISH,
    Ping: EventKind.PING,
    Failure: EventKind.ERROR,
    Done: EventKind.DONE,
}


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request of the plan, its body ready to send. `max_tokens` is what it asked for."""

    prompt_index: int
    repetition: int
    warmup: bool
    body: Mapping[str, Any]
    max_tokens: int | None


@dataclass(frozen=True, slots=True)
class RunClock:
    """Wall-clock time is taken once per run; every date of the run is that plus a monotonic difference."""

    clock: Clock
    started_at: datetime
    started_ns: int

    @classmethod
    def start(cls, clock: Clock) -> "RunClock":
        return cls(clock, clock.wall_now(), clock.monotonic_ns())

    def at(self, stamp_ns: int) -> datetime:
        return self.started_at + timedelta(microseconds=(stamp_ns - self.started_ns) / 1_000)


class Deadlines:
    """The one deadline that is next, and its name, for `asyncio.timeout`."""

    def __init__(self, timeouts: Timeouts, timeout: asyncio.Timeout) -> None:
        self._timeouts = timeouts
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._total_at = self._loop.time() + timeouts.connect_s + timeouts.total_s
        self.kind = "ttft_timeout"
        self._set("ttft_timeout", timeouts.connect_s + timeouts.ttft_s)

    def sent(self) -> None:
        """The first byte goes out: from now on the deadlines count without connecting."""
        self._total_at = self._loop.time() + self._timeouts.total_s
        self._set("ttft_timeout", self._timeouts.ttft_s)

    def alive(self, *, first_token_seen: bool) -> None:
        """Content or a ping arrived."""
        if first_token_seen:
            self._set("idle_timeout", self._timeouts.idle_s)

    def _set(self, kind: str, seconds: float) -> None:
        at = self._loop.time() + seconds
        self.kind, at = (kind, at) if at <= self._total_at else ("total_timeout", self._total_at)
        self._timeout.reschedule(at)


class Measurement:
    """What has been seen of one request so far."""

    def __init__(self, request: PlannedRequest, wire: Wire) -> None:
        self.request = request
        self.wire = wire
        self.timeline: list[TimelineEvent] = []
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.usage = Usage()
        self.usage_final = False
        self.finish_reason: str | None = None
        self.done = False
        self.failure: Failure | None = None
        self.flags: set[str] = set()
        self.stale = False
        self.headers: Mapping[str, str] = {}

    @property
    def first_token_seen(self) -> bool:
        return any(event.kind in TOKEN_KINDS for event in self.timeline)

    @property
    def phase(self) -> Phase:
        if self.wire.sent_ns is None:
            return "connect"
        return "mid_stream" if self.first_token_seen else "before_first_token"

    def mark(self, kind: EventKind, stamp_ns: int, size: int = 0) -> None:
        sent_ns = self.wire.sent_ns if self.wire.sent_ns is not None else self.wire.started_ns
        self.timeline.append(TimelineEvent(max(0, (stamp_ns - sent_ns + 500) // 1_000), kind, size))

    def take(self, event: StreamEvent, stamp_ns: int) -> None:
        """An event, with the stamp of the read that completed it."""
        size = 0
        match event:
            case Content(text) | ToolCall(text):
                self.texts.append(text)
                size = len(text.encode("utf-8", "surrogatepass"))
            case Reasoning(text):
                self.thoughts.append(text)
                size = len(text.encode("utf-8", "surrogatepass"))
            case UsageReport(usage, final):
                self.usage, self.usage_final = usage, final
            case Finish(reason):
                self.finish_reason = reason
            case Failure():
                self.failure = self.failure or event
            case Done():
                self.done = True
        self.mark(_KINDS.get(type(event), EventKind.OTHER), stamp_ns, size)


class Measurer:
    """Sends planned requests over one transport and makes records of what comes back."""

    def __init__(
        self, transport: Transport, adapter: Adapter, timeouts: Timeouts, run: RunClock, *, keep_timeline: bool
    ) -> None:
        self._transport = transport
        self._adapter = adapter
        self._timeouts = timeouts
        self._run = run
        self._clock = run.clock
        self._keep_timeline = keep_timeline

    async def measure(self, request: PlannedRequest, scheduled_ns: int) -> ResultRecord:
        """One request from its socket write to its end; never raises for what a server does.

        Cancelled from outside, it still returns what it saw, with the outcome `cancelled`.
        """
        request = replace(request, body=self._adapter.current_body(request.body))
        seen = Measurement(request, Wire(self._clock.monotonic_ns()))
        outcome, error = await self._attempt(seen)
        for _ in range(MAX_STALE_CONNECTIONS):
            if not seen.stale:
                break
            # The server had closed a kept connection that we were about to use: what every HTTP client does then
            # is to send on a new one. Only that attempt is measured; the flag says that there was another.
            seen = Measurement(request, Wire(self._clock.monotonic_ns()))
            seen.flags.add("connection_renewed")
            outcome, error = await self._attempt(seen)
        if error is not None and (body := self._adapter.retry_body(request.body, error)) is not None:
            # The server knew a field not: that attempt measured nothing. What is sent now is measured alone.
            seen = Measurement(replace(request, body=body), Wire(self._clock.monotonic_ns()))
            outcome, error = await self._attempt(seen)
        return self._record(seen, outcome, error, scheduled_ns)

    async def _attempt(self, seen: Measurement) -> tuple[Outcome, RequestError | None]:
        deadlines: Deadlines | None = None
        try:
            async with asyncio.timeout(None) as timeout:
                deadlines = Deadlines(self._timeouts, timeout)
                seen.wire.on_sent = deadlines.sent
                await self._exchange(seen, deadlines)
        except TimeoutError:
            if deadlines is None:
                raise
            message = {
                "ttft_timeout": f"no token within ttft_s = {self._timeouts.ttft_s:g} s",
                "idle_timeout": f"no event for idle_s = {self._timeouts.idle_s:g} s",
                "total_timeout": f"not ended within total_s = {self._timeouts.total_s:g} s",
            }[deadlines.kind]
            return "timed_out", RequestError(deadlines.kind, message, seen.phase)
        except TransportFailed as exc:
            seen.stale = exc.stale
            if exc.broke_off and seen.failure is None:
                return self._ended(seen, broken=exc.error)
            phase = seen.phase if exc.error.phase == "mid_stream" else exc.error.phase
            return ("timed_out" if exc.timed_out else "errored"), replace(exc.error, phase=phase)
        except asyncio.CancelledError:
            return "cancelled", RequestError("cancelled", "cancelled by the caller of the benchmark", seen.phase)
        return self._ended(seen, broken=None)

    async def _exchange(self, seen: Measurement, deadlines: Deadlines) -> None:
        async with self._transport.send(seen.request.body, seen.wire) as answer:
            seen.headers = answer.headers
            decoder = self._adapter.decoder(answer.headers.get("content-type", "").lower())
            token_seen = False
            async for read in answer.reads():
                if not seen.timeline:
                    seen.mark(EventKind.FIRST_BYTE, read.stamp_ns)
                for event in decoder.feed(read.data):
                    seen.take(event, read.stamp_ns)
                    if isinstance(event, Content | Reasoning | ToolCall | Ping):
                        token_seen = token_seen or not isinstance(event, Ping)
                        deadlines.alive(first_token_seen=token_seen)
                if seen.failure is not None:
                    return
            self._end(seen, decoder)

    def _end(self, seen: Measurement, decoder: StreamDecoder) -> None:
        stamp_ns = seen.wire.last_read_ns or self._clock.monotonic_ns()
        for event in decoder.finish():
            seen.take(event, stamp_ns)
        seen.mark(EventKind.END, stamp_ns)
        if decoder.invalid_utf8:
            seen.flags.add("invalid_utf8_replaced")

    def _ended(self, seen: Measurement, broken: RequestError | None) -> tuple[Outcome, RequestError | None]:
        """The outcome of a stream that ended, well or not."""
        failed = seen.failure
        if failed is not None:
            return "errored", RequestError(failed.kind, failed.message, seen.phase, provider_code=failed.provider_code)
        if not seen.done and seen.finish_reason is None:
            message = broken.message if broken else "the server closed the stream without a finish reason or end event"
            return "truncated", RequestError("truncated", message, seen.phase)
        if not seen.first_token_seen and seen.finish_reason is None:
            return "errored", RequestError(
                "empty_answer", "the stream ended with neither content nor a finish reason", seen.phase
            )
        if not seen.done:
            seen.flags.add("no_terminal_event")
        return "succeeded", None

    def _record(
        self, seen: Measurement, outcome: Outcome, error: RequestError | None, scheduled_ns: int
    ) -> ResultRecord:
        request, wire = seen.request, seen.wire
        usage = seen.usage
        if not seen.usage_final:
            # Before the provider has counted, `output_tokens` is a placeholder.
            usage = replace(usage, output_tokens=None, reasoning_tokens=None)
        metrics = compute(seen.timeline, usage.output_tokens)
        if metrics.buffered:
            seen.flags.add("buffered")
        if outcome == "succeeded" and usage.output_tokens is None:
            seen.flags.add("usage_missing")
        if usage.reasoning_tokens and not seen.thoughts:
            seen.flags.add("reasoning_hidden")
        if request.max_tokens and usage.output_tokens and usage.output_tokens > request.max_tokens:
            seen.flags.add("max_tokens_ignored")
        if seen.headers.get("content-type", "").lower().startswith("application/json") and outcome == "succeeded":
            seen.flags.add("not_streamed")
        response = _stored_text(seen.texts, seen.flags)
        reasoning = _stored_text(seen.thoughts, seen.flags)
        if error is not None:
            error = replace(error, message=replace_unstorable(error.message)[0][:2_000])
        finish_reason = replace_unstorable(seen.finish_reason)[0] if seen.finish_reason else None
        sent_ns = wire.sent_ns if wire.sent_ns is not None else wire.started_ns
        return ResultRecord(
            prompt_index=request.prompt_index,
            repetition=request.repetition,
            warmup=request.warmup,
            outcome=outcome,
            scheduled_at=self._run.at(scheduled_ns),
            sent_at=self._run.at(sent_ns),
            queue_ms=max(0, sent_ns - scheduled_ns) / 1e6,
            connect_ms=wire.connect_ms,
            connection_reused=not wire.new_connection and wire.sent_ns is not None,
            ttfb_ms=metrics.ttfb_ms,
            ttft_ms=metrics.ttft_ms,
            ttfat_ms=metrics.ttfat_ms,
            latency_ms=metrics.latency_ms,
            stream_close_ms=metrics.stream_close_ms,
            tokens_per_second=metrics.tokens_per_second,
            tpot_ms=metrics.tpot_ms,
            max_stall_ms=metrics.max_stall_ms,
            usage=usage,
            finish_reason=finish_reason,
            error=error,
            flags=sorted(seen.flags),
            response=response,
            reasoning=reasoning,
            provider_request_id=seen.headers.get("request-id") or seen.headers.get("x-request-id"),
            timeline=encode(seen.timeline) if self._keep_timeline else None,
        )


def _stored_text(parts: list[str], flags: set[str]) -> str | None:
    if not parts:
        return None
    text, replaced = replace_unstorable("".join(parts))
    if replaced:
        flags.add("unstorable_text_replaced")
    return text
