"""The functions that compute the metrics of one request. The registry `shared.numbers.metrics` says what each means."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.numbers.timeline import ANSWER_KINDS, TOKEN_KINDS, EventKind, TimelineEvent


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a metric is computed from. `token_us`: when events with text arrived, in µs since the request was sent."""

    timeline: Sequence[TimelineEvent]
    output_tokens: int | None
    token_us: Sequence[int]

    @classmethod
    def of(cls, timeline: Sequence[TimelineEvent], output_tokens: int | None) -> "RequestFacts":
        """`output_tokens`: the provider's own count; None if it gave none."""
        return cls(timeline, output_tokens, [event.offset_us for event in timeline if event.kind in TOKEN_KINDS])

    @property
    def buffered(self) -> bool:
        """Whether the whole answer came in one read. Then no gap between its events shows how fast it was generated."""
        arrived_at_once = bool(self.token_us) and self.token_us[0] == self.token_us[-1]
        return arrived_at_once and (self.output_tokens is None or self.output_tokens > 1)

    @property
    def generation(self) -> tuple[int, float] | None:
        """(output tokens, ms from the first to the last); None if they say nothing about the speed."""
        if self.output_tokens is None or self.output_tokens < 2 or not self.token_us:
            return None
        span_us = self.token_us[-1] - self.token_us[0]
        return (self.output_tokens, span_us / 1_000) if span_us else None


def ttfb_ms(facts: RequestFacts) -> float | None:
    return _first(facts.timeline, {EventKind.FIRST_BYTE})


def ttft_ms(facts: RequestFacts) -> float | None:
    return facts.token_us[0] / 1_000 if facts.token_us else None


def ttfat_ms(facts: RequestFacts) -> float | None:
    return _first(facts.timeline, ANSWER_KINDS)


def latency_ms(facts: RequestFacts) -> float | None:
    return facts.token_us[-1] / 1_000 if facts.token_us else None


def stream_close_ms(facts: RequestFacts) -> float | None:
    return _first(facts.timeline, {EventKind.END})


def tpot_ms(facts: RequestFacts) -> float | None:
    if facts.generation is None:
        return None
    tokens, span_ms = facts.generation
    return span_ms / (tokens - 1)


def tokens_per_second(facts: RequestFacts) -> float | None:
    if facts.generation is None:
        return None
    tokens, span_ms = facts.generation
    return tokens / span_ms * 1_000


def max_stall_ms(facts: RequestFacts) -> float | None:
    return max(((later - earlier) / 1_000 for earlier, later in pairwise(facts.token_us)), default=None)


def _first(timeline: Iterable[TimelineEvent], kinds: Collection[EventKind]) -> float | None:
    return next((event.offset_us / 1_000 for event in timeline if event.kind in kinds), None)
