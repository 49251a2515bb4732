"""Measures one request from the slices that a measuring process reports: events, deadlines, outcome.

Every adapter and transport uses this one measurer. It holds no socket and waits for nothing: its decisions depend on
stamps alone, not on when it sees them. `result.py` makes the record of a request that has ended.
"""

from shared.benchmark.results.outcome import Outcome
from shared.benchmark.results.record import Phase, RequestError, ResultRecord
from shared.protocols.error_answers import refusal
from shared.protocols.events import Failure
from shared.protocols.refusal_limits import MAX_REFUSAL_BYTES
from worker.engine.answer import Answer
from worker.engine.deadline import Deadline
from worker.engine.messages import Began, End, Slice
from worker.engine.planned import MeasureContext, PhaseStart, PlannedRequest
from worker.engine.reads import Reads
from worker.engine.result import Ended, record_of

# A first token is in doubt if it may have lain unread, together with later bytes, for longer than this.
DOUBTFUL_US = 1_000


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
        # The server kept the response open after the end of the answer.
        self._left_open = False
        self._context = context
        self._start = start
        self._began: Began | None = None
        self._dropped_ns: int | None = None
        self._status = 0
        self._headers: dict[str, str] = {}
        # The answer of a 2xx. The body of any other status goes into `_refusal`.
        self._answer: Answer | None = None
        self._refusal = b""
        self._last_read_ns: int | None = None
        # When the request was over (monotonic ns). Set with `outcome`.
        self._ended_ns = 0
        self._network_rtt_ns: int | None = None
        self._deadline = Deadline(context.timeouts)

    def take(self, part: Slice) -> None:
        """Takes the next slice. Sets `outcome` if the request ends with it."""
        if part.began is not None:
            self._begin(part.began)
        if part.head is not None:
            self._status, self._headers = part.head.status, part.head.headers
            self.accepted = 200 <= self._status < 300
            if self.accepted:
                self._answer = Answer(self._context.adapter.decoder(self._headers), self._sent_ns)
        self._read(part)
        if part.end is not None and self.outcome is None:
            self._end(part.end)

    def expire(self, watermark_ns: int) -> None:
        """Times out if the deadline is before the watermark, because every byte that arrived before it is known."""
        if self._deadline.passed(watermark_ns):
            self._time_out()

    def lose(self, message: str) -> None:
        """Ends the request because its measuring process died: as errored, unless its answer has ended."""
        if self._answer is not None and self._answer.complete:
            return self._end_complete(self._answer)
        return self._conclude("errored", RequestError("engine_died", message, self._phase), self._last_seen_ns)

    def drop(self, at_ns: int) -> None:
        """Ends the request, which was never sent: by this stamp it was too late for it."""
        self._dropped_ns = at_ns
        self._conclude("dropped", None, at_ns)

    def break_off(self, exc: Exception) -> None:
        """Ends the request as errored, because our own code could not read its answer."""
        message = self._context.scrubber.scrub(f"the answer could not be read: {type(exc).__name__}: {exc}")
        self._answer = None
        self._conclude("errored", RequestError("unreadable_answer", message, self._phase), self._last_seen_ns)

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
        """When its first byte went out; if it was never sent, when it was begun or dropped (monotonic ns)."""
        if self._began is None:
            return self._scheduled_ns if self._dropped_ns is None else self._dropped_ns
        return self._began.started_ns if self._began.sent_ns is None else self._began.sent_ns

    def _begin(self, began: Began) -> None:
        self._began = began
        if began.sent_ns is None:
            return
        self.send_delay_ns = began.sent_ns - self._could_be_sent_ns(began)
        self._deadline.begin(began.sent_ns)

    def _could_be_sent_ns(self, began: Began) -> int:
        """From when on a wait was ours. The time that its own new connection took is `connect_ms`, and not a delay."""
        due_ns = max(began.due_ns, self._scheduled_ns)
        if not began.new_connection or began.connected_ns is None:
            return due_ns
        return due_ns + max(0, began.connected_ns - max(due_ns, began.started_ns))

    def _time_out(self) -> None:
        if self._answer is not None and self._answer.complete:
            self._left_open = True
            return self._end_complete(self._answer)
        timeouts = self._context.timeouts
        ended_ns = self._deadline.at_ns or self._last_seen_ns
        if self._status and self._answer is None:
            return self._end_refusal(ended_ns)
        kind = "idle_timeout" if self._token_seen else "ttft_timeout"
        if ended_ns == self._deadline.total_ns:
            kind = "total_timeout"
        message = {
            "ttft_timeout": f"no token within ttft_s = {timeouts.ttft_s:g} s",
            "idle_timeout": f"no event for idle_s = {timeouts.idle_s:g} s",
            "total_timeout": f"not ended within total_s = {timeouts.total_s:g} s",
        }[kind]
        return self._conclude("timed_out", RequestError(kind, message, self._phase), ended_ns)

    def _read(self, part: Slice) -> None:
        self.selector_stamped |= not part.kernel
        reads = Reads(part)
        number = one_by_one = 0
        while number < len(reads) and self.outcome is None:
            if self._answer is not None and number >= one_by_one:
                # What cannot be taken at once is taken one by one.
                one_by_one = (self._answer.pattern and reads.run_end(number, self._answer.pattern)) or number
                if one_by_one > number and self._read_at_once(self._answer, reads, number, one_by_one):
                    number = one_by_one
                    continue
            self._read_one(reads.data(number, number + 1), reads.stamps[number], reads.late_us[number], part.kernel)
            number += 1

    def _read_one(self, data: bytes, stamp_ns: int, late_us: int, kernel: bool) -> None:
        if self._deadline.passed(stamp_ns):
            return self._time_out()
        self._last_read_ns = stamp_ns
        if self._answer is None:
            self._deadline.refuse(stamp_ns)
            return self._refuse(data)
        return self._listen(self._answer, data, stamp_ns, late_us, kernel=kernel)

    def _read_at_once(self, answer: Answer, reads: Reads, first: int, end: int) -> bool:
        """Takes reads of an answer in its middle, if all of them come in time and repeat the event before."""
        stamps, data = reads.stamps[first:end], reads.data(first, end)
        if not self._deadline.holds(stamps) or not answer.repeat(data, stamps, reads.ends_within(first, end)):
            return False
        self._last_read_ns = stamps[-1]
        self._deadline.move(answer)
        return True

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
        self._deadline.move(answer)
        if answer.failure is not None:
            self._fail(answer.failure)
        elif answer.excess is not None and answer.complete:
            self._time_out()
        elif (excess := answer.excess) is not None:
            message = f"the answer has {excess}: its stream was closed"
            self._conclude("errored", RequestError("answer_too_large", message, self._phase), stamp_ns)

    def _fail(self, failure: Failure) -> None:
        """Ends the request as errored: the provider reported a failure within a 2xx answer."""
        scrub, code = self._context.scrubber.scrub, failure.provider_code
        error = RequestError(
            failure.kind,
            scrub(failure.message),
            self._phase,
            provider_code=None if code is None else scrub(code),
            retry_after_s=failure.retry_after_s,
        )
        self._conclude("errored", error, self._last_seen_ns)

    def _end(self, end: End) -> None:
        answer, self._network_rtt_ns = self._answer, end.network_rtt_ns
        match end.kind:
            case "complete" if answer is None:
                self._end_refusal(end.stamp_ns)
            case "complete" if answer is not None:
                answer.finish(end.stamp_ns)
                unfinished = "the server closed the stream without a finish reason or end event"
                self._end_answer(answer, unfinished, end.stamp_ns)
            case "lost" if answer is not None and not answer.empty:
                self._end_answer(answer, f"the connection broke off: {end.message}", end.stamp_ns)
            case "lost" | "client_error" if self._status and answer is None:
                self._end_refusal(end.stamp_ns)
            case "lost":
                # The request was sent, so it may have been billed all the same.
                message = self._context.scrubber.scrub(f"the connection ended before any answer: {end.message}")
                self._conclude("errored", RequestError("connection_lost", message, self._phase), end.stamp_ns)
            case "closed" if answer is not None and answer.complete:
                self._end_complete(answer)
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

    def _end_refusal(self, ended_ns: int | None = None) -> None:
        """Ends the request as errored by the server's error answer."""
        now = self._context.clock.at(self._last_seen_ns)
        error = refusal(self._status, self._headers, self._refusal, self._context.scrubber, now)
        self.refused = True
        self._conclude("errored", error, self._last_seen_ns if ended_ns is None else ended_ns)

    def _end_complete(self, answer: Answer) -> None:
        """Ends the request when its answer was over, because nothing more of its stream will be read."""
        self._end_answer(answer, "", answer.ended_ns)

    def _end_answer(self, answer: Answer, unfinished: str, ended_ns: int) -> None:
        """Ends the request when its answer has ended. `unfinished`: the error message if the answer is not complete."""
        if answer.failure is not None:
            self._fail(answer.failure)
        elif answer.empty:
            error = RequestError("empty_answer", "the server sent an empty body", self._phase)
            self._conclude("errored", error, ended_ns)
        elif not answer.complete:
            message = self._context.scrubber.scrub(unfinished)
            self._conclude("truncated", RequestError("truncated", message, self._phase), ended_ns)
        elif not answer.token_seen and answer.finish_reason is None:
            message = "the stream ended with neither content nor a finish reason"
            self._conclude("errored", RequestError("empty_answer", message, self._phase), ended_ns)
        else:
            self._conclude("succeeded", None, ended_ns)

    def _conclude(self, outcome: Outcome, error: RequestError | None, ended_ns: int) -> None:
        self.outcome, self.error, self._ended_ns = outcome, error, ended_ns
        self._deadline.at_ns = None

    def record(self) -> ResultRecord:
        """The record of the request. Raises RuntimeError before `outcome` is set."""
        if self.outcome is None:
            raise RuntimeError("the request has not ended")
        ended = Ended(
            request=self.request,
            outcome=self.outcome,
            error=self.error,
            scheduled_ns=self._scheduled_ns,
            sent_ns=self._sent_ns,
            ended_ns=max(self._ended_ns, self._sent_ns),
            began=self._began,
            headers=self._headers,
            answer=self._answer,
            doubtful=self.doubtful,
            left_open=self._left_open,
            network_rtt_ns=self._network_rtt_ns,
            send_delay_ns=self.send_delay_ns,
        )
        return record_of(ended, self._context)
