"""Measures one request from the slices that a measuring process reports: events, deadlines, outcome, record.

Every adapter and transport uses this one measurer. It holds no socket and waits for nothing: its decisions depend on
stamps alone, not on when it sees them.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from shared.benchmark.extra_body import NO_EXTRA, ExtraFields
from shared.benchmark.observe import epoch_us, gaps_of, tokens_of
from shared.benchmark.outcome import Outcome
from shared.benchmark.record import Phase, RequestError, ResultRecord, Usage
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import Timeouts
from shared.clock import Clock
from shared.numbers.formulas import RequestFacts
from shared.numbers.metrics import compute
from shared.numbers.timeline import encode
from shared.protocols.base import Adapter
from shared.protocols.error_answers import status_error
from shared.protocols.events import Failure
from shared.scrubber import Scrubber
from shared.text import replace_unstorable
from worker.engine.answer import Answer
from worker.engine.messages import Began, End, Slice

# The most bytes of an error answer that are read.
MAX_REFUSAL_BYTES = 64_000
# A first token is in doubt if it may have lain unread, together with later bytes, for longer than this.
DOUBTFUL_US = 1_000

_READ = struct.Struct("<qqq")


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request that is about to be sent. `max_tokens` is what it asked for.

    `offset_ns`: when it is due after the start of its phase (open loop); None: as soon as there is room.
    """

    id: RequestId
    prompt_index: int
    repetition: int
    warmup: bool
    body: Mapping[str, Any]
    max_tokens: int | None
    offset_ns: int | None = None


@dataclass(slots=True)
class PhaseStart:
    """When a phase starts (monotonic ns). Set once all connections are made, before the first request is sent."""

    ns: int = 0


@dataclass(frozen=True, slots=True)
class RunClock:
    """Turns stamps into dates. The wall clock is read once per run; every date is that plus a monotonic difference."""

    clock: Clock
    started_at: datetime
    started_ns: int

    @classmethod
    def start(cls, clock: Clock) -> "RunClock":
        return cls(clock, clock.wall_now(), clock.monotonic_ns())

    def at(self, stamp_ns: int) -> datetime:
        return self.started_at + timedelta(microseconds=(stamp_ns - self.started_ns) / 1_000)


@dataclass(frozen=True, slots=True)
class MeasureContext:
    """What all requests of a run share."""

    adapter: Adapter
    timeouts: Timeouts
    clock: RunClock
    scrubber: Scrubber
    keep_timeline: bool
    # What endpoint and benchmark add to each body.
    extra: ExtraFields = NO_EXTRA


class Measurement:
    """One request, measured slice by slice. `outcome` is set once it has ended, `error` if it did not succeed."""

    def __init__(self, request: PlannedRequest, context: MeasureContext, start: PhaseStart) -> None:
        self.request = request
        self.outcome: Outcome | None = None
        self.error: RequestError | None = None
        # The server answered with an error: the caller may change the body and send it again.
        self.refused = False
        # The server has begun to answer with a 2xx.
        self.accepted = False
        self.send_delay_ns = 0
        self.doubtful = False
        self.selector_stamped = False
        self._context = context
        self._start = start
        self._began: Began | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        # The answer of a 2xx. The body of any other status goes into `_refusal`.
        self._answer: Answer | None = None
        self._refusal = b""
        self._last_read_ns: int | None = None
        # When the request was over (monotonic ns). Set with `outcome`.
        self._ended_ns = 0
        # The next deadline. None before the request is sent and after it has ended.
        self._deadline_ns: int | None = None
        self._total_ns = 0
        self._idle_ns = int(context.timeouts.idle_s * 1e9)

    def take(self, part: Slice) -> None:
        """Takes the next slice. Sets `outcome` if the request ends with it."""
        if part.began is not None:
            self._begin(part.began)
        if part.head is not None:
            self._status, self._headers = part.head.status, part.head.headers
            self.accepted = 200 <= self._status < 300
            if self.accepted:
                decoder = self._context.adapter.decoder(self._headers.get("content-type", "").lower())
                self._answer = Answer(decoder, self._sent_ns)
        self._read(part)
        if part.end is not None and self.outcome is None:
            self._end(part.end)

    def expire(self, watermark_ns: int) -> None:
        """Times out if the deadline is before the watermark, because every byte that arrived before it is known."""
        if self._deadline_ns is not None and self._deadline_ns < watermark_ns:
            self._time_out()

    def lose(self, message: str) -> None:
        """Ends the request as errored, because its measuring process died."""
        self._conclude("errored", RequestError("engine_died", message, self._phase), self._last_seen_ns)

    @property
    def begun(self) -> bool:
        """Whether it was sent, so that it may have reached the server."""
        return self._began is not None and self._began.sent_ns is not None

    @property
    def _phase(self) -> Phase:
        if not self.begun:
            return "connect"
        return "mid_stream" if self._token_seen else "before_first_token"

    @property
    def _last_seen_ns(self) -> int:
        """When its last bytes came; if none came, when it was sent (monotonic ns)."""
        return self._sent_ns if self._last_read_ns is None else self._last_read_ns

    @property
    def _token_seen(self) -> bool:
        return self._answer is not None and self._answer.token_seen

    @property
    def _scheduled_ns(self) -> int:
        """When it was due by the pace (monotonic ns)."""
        return self._start.ns + (self.request.offset_ns or 0)

    @property
    def _sent_ns(self) -> int:
        """When its first byte went out; if it was never sent, when it was begun (monotonic ns)."""
        if self._began is None:
            return self._scheduled_ns
        return self._began.started_ns if self._began.sent_ns is None else self._began.sent_ns

    def _begin(self, began: Began) -> None:
        self._began = began
        if began.sent_ns is None:
            return
        self.send_delay_ns = began.sent_ns - max(began.due_ns, self._scheduled_ns)
        self._total_ns = began.sent_ns + int(self._context.timeouts.total_s * 1e9)
        self._deadline_ns = min(began.sent_ns + int(self._context.timeouts.ttft_s * 1e9), self._total_ns)

    def _time_out(self) -> None:
        timeouts = self._context.timeouts
        ended_ns = self._deadline_ns or self._last_seen_ns
        kind = "idle_timeout" if self._token_seen else "ttft_timeout"
        if ended_ns == self._total_ns:
            kind = "total_timeout"
        message = {
            "ttft_timeout": f"no token within ttft_s = {timeouts.ttft_s:g} s",
            "idle_timeout": f"no event for idle_s = {timeouts.idle_s:g} s",
            "total_timeout": f"not ended within total_s = {timeouts.total_s:g} s",
        }[kind]
        self._conclude("timed_out", RequestError(kind, message, self._phase), ended_ns)

    def _read(self, part: Slice) -> None:
        self.selector_stamped |= not part.kernel
        start = 0
        for stamp_ns, end, late_us in _READ.iter_unpack(part.reads):
            if self.outcome is not None:
                return None
            if self._deadline_ns is not None and stamp_ns > self._deadline_ns:
                return self._time_out()
            data = part.body[start:end]
            start = end
            self._last_read_ns = stamp_ns
            if self._answer is None:
                self._refuse(data)
            else:
                self._listen(self._answer, data, stamp_ns, late_us, kernel=part.kernel)
        return None

    def _refuse(self, data: bytes) -> None:
        self._refusal += data
        if len(self._refusal) >= MAX_REFUSAL_BYTES:
            self._end_refusal()

    def _listen(self, answer: Answer, data: bytes, stamp_ns: int, late_us: int, *, kernel: bool) -> None:
        token_was_seen = answer.token_seen
        alone = answer.feed(data, stamp_ns)
        if answer.token_seen and not token_was_seen:
            # The kernel stamps the last bytes of a read, so a token that came before them has their stamp too.
            self.doubtful = late_us > DOUBTFUL_US and not (kernel and alone)
        if answer.alive_ns is not None:
            self._deadline_ns = min(answer.alive_ns + self._idle_ns, self._total_ns)
        if answer.failure is not None:
            self._fail(answer.failure)
        elif (excess := answer.excess) is not None:
            message = f"the answer has {excess}: its stream was closed"
            self._conclude("errored", RequestError("answer_too_large", message, self._phase), stamp_ns)

    def _fail(self, failure: Failure) -> None:
        """Ends the request as errored: the provider reported a failure within a 2xx answer."""
        error = RequestError(failure.kind, failure.message, self._phase, provider_code=failure.provider_code)
        self._conclude("errored", error, self._last_seen_ns)

    def _end(self, end: End) -> None:
        answer = self._answer
        match end.kind:
            case "complete" if answer is None:
                self._end_refusal()
            case "complete" if answer is not None:
                answer.finish(end.stamp_ns)
                self._end_answer(answer, "the server closed the stream without a finish reason or end event", end)
            case "lost" if answer is not None:
                self._end_answer(answer, f"the connection broke off: {end.message}", end)
            case "lost" if self._status:
                self._end_refusal()
            case "lost":
                # The request was sent and may have been billed, so it is truncated, not refused.
                message = self._context.scrubber.scrub(f"the connection broke off: {end.message}")
                self._conclude("truncated", RequestError("truncated", message, self._phase), end.stamp_ns)
            case "closed":
                error = RequestError(
                    "cancelled", "its stream was closed: the run was cancelled, or its time was up", self._phase
                )
                self._conclude("cancelled", error, end.stamp_ns)
            case "connect_timeout":
                self._conclude("timed_out", RequestError(end.kind, end.message, "connect"), end.stamp_ns)
            case _:
                message = self._context.scrubber.scrub(end.message)
                self._conclude("errored", RequestError(end.kind, message, "connect"), end.stamp_ns)

    def _end_refusal(self) -> None:
        """Ends the request as errored by the server's error answer."""
        text = self._refusal[:MAX_REFUSAL_BYTES].decode("utf-8", "replace")
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            document = None
        now = self._context.clock.at(self._last_seen_ns)
        error = status_error(self._status, self._headers, document, text, self._context.scrubber, now)
        self.refused = True
        self._conclude("errored", error, self._last_seen_ns)

    def _end_answer(self, answer: Answer, unfinished: str, end: End) -> None:
        """Ends the request when its stream has ended. `unfinished`: the error message if the answer is not complete."""
        if answer.failure is not None:
            self._fail(answer.failure)
        elif not answer.done and answer.finish_reason is None:
            message = self._context.scrubber.scrub(unfinished)
            self._conclude("truncated", RequestError("truncated", message, self._phase), end.stamp_ns)
        elif not answer.token_seen and answer.finish_reason is None:
            message = "the stream ended with neither content nor a finish reason"
            self._conclude("errored", RequestError("empty_answer", message, self._phase), end.stamp_ns)
        else:
            self._conclude("succeeded", None, end.stamp_ns)

    def _conclude(self, outcome: Outcome, error: RequestError | None, ended_ns: int) -> None:
        self.outcome, self.error, self._ended_ns = outcome, error, ended_ns
        self._deadline_ns = None

    def record(self) -> ResultRecord:
        """The record of the request. Raises RuntimeError before `outcome` is set."""
        if self.outcome is None:
            raise RuntimeError("the request has not ended")
        request, began, answer = self.request, self._began, self._answer
        usage = answer.usage if answer is not None else Usage()
        timeline = list(answer.timeline) if answer is not None else []
        facts = RequestFacts.of(timeline, usage.output_tokens)
        response, reasoning, flags = answer.texts() if answer is not None else (None, None, set())
        finish_reason = answer.finish_reason if answer is not None else None
        flags |= self._flags(usage, reasoning, buffered=facts.buffered)
        error = self.error
        if error is not None:
            error = replace(error, message=replace_unstorable(error.message)[0][:2_000])
        clock = self._context.clock
        sent_at = clock.at(self._sent_ns)
        return ResultRecord(
            id=request.id,
            prompt_index=request.prompt_index,
            repetition=request.repetition,
            warmup=request.warmup,
            outcome=self.outcome,
            scheduled_at=clock.at(self._scheduled_ns),
            sent_at=sent_at,
            ended_at=clock.at(max(self._ended_ns, self._sent_ns)),
            connection_reused=self.begun and began is not None and not began.new_connection,
            metrics={
                "queue_ms": max(0, self._sent_ns - self._scheduled_ns) / 1e6,
                "connect_ms": self._connect_ms,
                "tls_ms": began.tls_ms if began is not None else None,
                **compute(facts),
            },
            usage=usage,
            finish_reason=replace_unstorable(finish_reason)[0] if finish_reason else None,
            error=error,
            flags=sorted(flags),
            response=response,
            reasoning=reasoning,
            provider_request_id=self._headers.get("request-id")
            or self._headers.get("x-request-id")
            or (answer.id if answer is not None else None),
            timeline=encode(timeline) if self._context.keep_timeline else None,
            # Computed here, in the decoding thread, so that long answers do not hold up the worker's loop.
            gaps_ms=gaps_of(facts.token_us),
            tokens_over_time=tokens_of(facts.token_us, epoch_us(sent_at), usage.output_tokens),
        )

    def _flags(self, usage: Usage, reasoning: str | None, *, buffered: bool) -> set[str]:
        """Flags that a reader of the numbers should know, beside those about the text."""
        succeeded, output, most = self.outcome == "succeeded", usage.output_tokens, self.request.max_tokens
        told = {
            "connection_renewed": self._began is not None and self._began.renewed > 0,
            "ttft_doubtful": self.doubtful,
            "buffered": buffered,
            "no_terminal_event": succeeded and self._answer is not None and not self._answer.done,
            "usage_missing": succeeded and output is None,
            "reasoning_hidden": bool(usage.reasoning_tokens) and reasoning is None,
            "max_tokens_ignored": most is not None and output is not None and output > most,
            "not_streamed": succeeded and self._headers.get("content-type", "").lower().startswith("application/json"),
        }
        return {flag for flag, holds in told.items() if holds}

    @property
    def _connect_ms(self) -> float | None:
        """DNS + TCP + TLS, in ms; None if the connection was reused or never made."""
        began = self._began
        if began is None or not began.new_connection or began.connected_ns is None:
            return None
        return (began.connected_ns - began.started_ns) / 1e6
