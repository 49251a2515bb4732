"""The deadline of one request: until when the measurer waits for its next token, or for its end."""

from collections.abc import Sequence

from shared.benchmark.timeouts import Timeouts
from shared.protocols.refusal_limits import REFUSAL_NS
from worker.engine.answer import Answer

# How long the server may keep the response open after the end of the answer, and after a finish reason without usage.
CLOSE_NS, USAGE_NS = 1_000_000_000, 5_000_000_000


class Deadline:
    """`at_ns` is the next deadline (monotonic ns); None before the request is sent and after it has ended."""

    __slots__ = ("_idle_ns", "_timeouts", "at_ns", "total_ns")

    def __init__(self, timeouts: Timeouts) -> None:
        self.at_ns: int | None = None
        # The deadline for the whole request.
        self.total_ns = 0
        self._timeouts = timeouts
        self._idle_ns = int(timeouts.idle_s * 1e9)

    def begin(self, sent_ns: int) -> None:
        self.total_ns = sent_ns + int(self._timeouts.total_s * 1e9)
        self.at_ns = min(sent_ns + int(self._timeouts.ttft_s * 1e9), self.total_ns)

    def passed(self, stamp_ns: int) -> bool:
        return self.at_ns is not None and self.at_ns < stamp_ns

    def holds(self, stamps: Sequence[int]) -> bool:
        """Whether tokens that arrive at these stamps are all in time. May be False although they are."""
        if self.passed(stamps[0]) or min(stamps) < stamps[0]:
            return False
        return max(stamps) <= min(stamps[0] + self._idle_ns, self.total_ns)

    def refuse(self, stamp_ns: int) -> None:
        """Moves the deadline at a read of an error answer's body: the first one counts."""
        if self.at_ns is not None:
            self.at_ns = min(self.at_ns, stamp_ns + REFUSAL_NS)

    def move(self, answer: Answer) -> None:
        """Moves the deadline after a read of the answer."""
        if answer.done_ns is not None:
            at_ns = answer.done_ns + CLOSE_NS
        elif answer.finished_ns is not None:
            at_ns = answer.ended_ns + (USAGE_NS if answer.usage.output_tokens is None else CLOSE_NS)
        elif answer.token_ns is not None and answer.alive_ns is not None:
            at_ns = answer.alive_ns + self._idle_ns
        else:
            return
        self.at_ns = min(at_ns, self.total_ns)
