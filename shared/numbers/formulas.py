"""The functions that compute the metrics of one request. The registry `shared.numbers.metrics` says what each means."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.numbers.timeline import ANSWER_KINDS, TOKEN_KINDS, EventKind, TimelineEvent

# An answer says nothing about the speed of its generation if it came in a burst: within 10 ms and faster than 5,000
# tokens/s, or within 1 % of the time to its first token and faster than 2,000 tokens/s, or faster than 50,000 tokens/s.
# A single stream of today's fastest hardware is below these rates, or lasts longer.
SHORT_US, SHORT_RATE = 10_000, 5_000
SUDDEN_SHARE, SUDDEN_RATE = 0.01, 2_000
IMPOSSIBLE_RATE = 50_000


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a metric is computed from. `token_us`: when events with text arrived, in µs since the request was sent.

    `visible_tokens`: the output tokens that were generated within the visible span, from the first event with text to
    the last; None if that is not known.
    """

    timeline: Sequence[TimelineEvent]
    output_tokens: int | None
    visible_tokens: int | None
    token_us: Sequence[int]

    @classmethod
    def of(
        cls, timeline: Sequence[TimelineEvent], output_tokens: int | None, visible_tokens: int | None
    ) -> "RequestFacts":
        """`output_tokens`: the provider's own count; None if it gave none."""
        token_us = [event.offset_us for event in timeline if event.kind in TOKEN_KINDS]
        return cls(timeline, output_tokens, visible_tokens, token_us)

    @property
    def span_us(self) -> int:
        """From the first event with text to the last; 0 if there is none."""
        return self.token_us[-1] - self.token_us[0] if self.token_us else 0

    @property
    def buffered(self) -> bool:
        """Whether the answer came at once or in a burst. Then its arrival does not show how fast it was generated."""
        if not self.span_us:
            tokens = self.output_tokens if self.visible_tokens is None else self.visible_tokens
            return bool(self.token_us) and (tokens is None or tokens > 1)
        rate = max(self.visible_tokens or 0, len(self.token_us)) / self.span_us * 1e6
        return (
            rate > IMPOSSIBLE_RATE
            or (rate > SHORT_RATE and self.span_us < SHORT_US)
            or (rate > SUDDEN_RATE and self.span_us < SUDDEN_SHARE * self.token_us[0])
        )

    @property
    def generation(self) -> tuple[int, float] | None:
        """(visible output tokens, ms from the first event to the last); None if they say nothing about the speed."""
        if self.visible_tokens is None or self.visible_tokens < 2 or not self.span_us or self.buffered:
            return None
        return self.visible_tokens, self.span_us / 1_000

    @property
    def tokens_after_first(self) -> int | None:
        """Output tokens after the first event with text. None if their number is not known.

        If the stream reports usage with each event, the first event's report tells how many tokens it held. Otherwise
        it is taken for one token.
        """
        reported = self._reported_with_first
        if reported is not None and self.output_tokens is not None and reported < self.output_tokens:
            return self.output_tokens - reported
        return None if self.visible_tokens is None else self.visible_tokens - 1

    @property
    def _reported_with_first(self) -> int | None:
        seen = 0
        for event in self.timeline:
            if event.kind in TOKEN_KINDS:
                seen += 1
            if seen > 1:
                return None
            if seen and event.kind is EventKind.USAGE and event.size:
                return event.size
        return None


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
    after_first = facts.tokens_after_first
    if after_first is None or after_first < 1 or not facts.span_us or facts.buffered:
        return None
    return facts.span_us / 1_000 / after_first


def tokens_per_second(facts: RequestFacts) -> float | None:
    if facts.generation is None:
        return None
    tokens, span_ms = facts.generation
    return tokens / span_ms * 1_000


def max_stall_ms(facts: RequestFacts) -> float | None:
    return max(((later - earlier) / 1_000 for earlier, later in pairwise(facts.token_us)), default=None)


def _first(timeline: Iterable[TimelineEvent], kinds: Collection[EventKind]) -> float | None:
    return next((event.offset_us / 1_000 for event in timeline if event.kind in kinds), None)
