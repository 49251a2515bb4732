"""What a run's results add up to: one aggregate for each segment, folded as results arrive, merged for the summary.

It stays small however long the run is. It depends only on the results, not on their order or on how the run was split,
so it can be stored with them or be rebuilt from them. `aggregate_state` says how it is stored.
"""

from collections import Counter

from shared.benchmark.results.activity import Activity
from shared.benchmark.results.aggregate_state import pack, restore, state_of, unpack
from shared.benchmark.results.costs import Costs
from shared.benchmark.results.observed import Observed
from shared.benchmark.results.outcome import CUT_OFF, FAILURES
from shared.benchmark.results.request_sample import RequestSample
from shared.benchmark.results.turns import Turns
from shared.benchmark.slo.slo_counts import SloCounts
from shared.benchmark.slo.slo_spec import SloSpec
from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance, Verdict
from shared.numbers.metrics import DISTRIBUTED, REPORTED
from shared.numbers.time_series import TimeSeries

# The most different words of servers that are counted one by one. All further ones are counted under OTHER_WORDS.
MOST_WORDS = 50
OTHER_WORDS = "(other)"
# A request that was sent longer than this after it was due is late.
LATE_MS = 10


class RunAggregate:
    """What the results of one segment, stage or run add up to.

    `wave`: the concurrency, the size of the first wave. `slos`: what requests must keep to be good ones.
    """

    def __init__(self, wave: int, slos: SloSpec | None = None) -> None:
        self.wave = wave
        self.outcomes: Counter[str] = Counter()
        self.warmup = 0
        self.error_kinds: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        # Whether a prompt was sent more than once, as far as the ids tell. Then its results depend on each other.
        self.repeats = False
        # The same within one turn of conversations, whose turns depend on each other but not on those of others.
        self.repeats_turns = False
        # How answers ended, and what they say they came from. Servers choose these words: `_word` bounds their number.
        self.finish_reasons: Counter[str] = Counter()
        self.served_models: Counter[str] = Counter()
        self.service_tiers: Counter[str] = Counter()
        self.metrics = {name: Digest() for name in DISTRIBUTED}
        self.effective_ms = Digest()
        self.error_ms = Digest()
        self.gaps_ms = Digest()
        # `queue_ms` of all requests that were sent, failed and cut-off ones included, and how many were sent late.
        self.lateness_ms = Digest()
        self.late = 0
        # Of the late ones: for how long their room lay idle because of us before they were sent, and for how long they
        # then used it (µs).
        self.late_idle_us = 0
        self.late_busy_us = 0
        # Round trips of the network, of the requests whose connection told.
        self.network_rtt_ms = Digest()
        self.turns = Turns()
        self.sample = RequestSample()
        self.slo = SloCounts(slos)
        # How many succeeded requests have unknown events. `gaps_ms` and `tokens` lack them.
        self.without_events = 0
        self.tokens = TimeSeries(3)
        # Output tokens of succeeded requests.
        self.generated_tokens = 0
        # Input tokens of succeeded requests, cached ones included, by the time of the first token.
        self.prompt_tokens = TimeSeries(4)
        # Sums of the known values; None if none is known.
        self.counts: dict[str, int | None] = dict.fromkeys(REPORTED)
        # How many values each sum has. None if a worker of a version that did not count them measured a part.
        self.reported: Counter[str] | None = Counter()
        # Input tokens of requests whose usage speaks of a cache, and how many of them were read from it.
        self.cacheable_tokens = 0
        self.cached_tokens = 0
        self.costs = Costs()
        self.activity = Activity(wave)
        self.disturbance: Disturbance | None = None
        # One for each segment that measured something.
        self.verdicts: list[Verdict] = []

    def add(self, result: Observed, *, sent_in_vain: int = 0, segment: int | None = None) -> None:
        """Adds a result. Warm-up counts only for cost, a cut-off one as sent and in flight alone, a dropped one as due.

        `sent_in_vain`: how often earlier segments may have sent the same request. `segment`: see `Activity.add`.
        """
        self.costs.add(result, sent_in_vain)
        if result.warmup:
            self.warmup += 1
            return
        self.repeats_turns |= result.repetition > 0
        self.repeats |= result.repetition > 0 or result.id.turn > 0
        self.outcomes[result.outcome] += 1
        self.activity.add_due(result.sent_us - round(result.queue_ms * 1_000))
        if result.outcome == "dropped":
            return
        self._add_answer(result)
        self.slo.add(result)
        if result.outcome in CUT_OFF:
            self.activity.add_cut_off(result.sent_us, result.ended_us)
        else:
            succeeded = result.outcome == "succeeded"
            self.activity.add(result.sent_us, result.ended_us, succeeded=succeeded, segment=segment)
        self._add_lateness(result)
        if result.outcome == "succeeded":
            self._add_succeeded(result)
            return
        if result.error_kind is not None and result.outcome != "incomplete":
            self.error_kinds[result.error_kind] += 1
        if result.outcome in FAILURES and result.ended_us > result.sent_us:
            self.error_ms.add((result.ended_us - result.sent_us) / 1_000, result.prompt_index)

    def merge(self, other: "RunAggregate") -> None:
        """Adds another segment of the same run."""
        # Before the outcomes and metrics of both are merged.
        self.slo.merge(other.slo, other.attempted)
        self.turns.merge(other.turns, self.metrics, other.metrics)
        self.repeats |= other.repeats
        self.repeats_turns |= other.repeats_turns
        self.warmup += other.warmup
        self.late += other.late
        self.late_idle_us += other.late_idle_us
        self.late_busy_us += other.late_busy_us
        self.without_events += other.without_events
        self.generated_tokens += other.generated_tokens
        self.cacheable_tokens += other.cacheable_tokens
        self.cached_tokens += other.cached_tokens
        self.costs.merge(other.costs)
        for name in REPORTED:
            self.counts[name] = _sum(self.counts[name], other.counts[name])
        if self.reported is not None:
            self.reported = None if other.reported is None else self.reported + other.reported
        for ours, theirs in self._counters(other):
            for word, count in theirs.items():
                ours[_word(ours, word)] += count
        for mine, its in self._digests(other):
            mine.merge(its)
        self.tokens.merge(other.tokens)
        self.prompt_tokens.merge(other.prompt_tokens)
        self.sample.merge(other.sample)
        self.activity.merge(other.activity)
        self.verdicts += other.verdicts
        if self.disturbance is None:
            self.disturbance = other.disturbance
        elif other.disturbance is not None:
            self.disturbance.merge(other.disturbance)

    def observe(self, disturbance: Disturbance) -> None:
        """Sets how far the measuring of this segment was disturbed. Called when the segment has ended."""
        self.disturbance = disturbance
        verdict = disturbance.grade()
        self.verdicts = [] if verdict is None else [verdict]

    @property
    def count(self) -> int:
        """All results, warm-up included."""
        return self.warmup + self.outcomes.total()

    @property
    def succeeded(self) -> int:
        """Measured requests that succeeded."""
        return self.outcomes["succeeded"]

    @property
    def failed(self) -> int:
        """Measured requests that failed. Those that were cut off or dropped do not count."""
        return sum(self.outcomes[name] for name in FAILURES)

    @property
    def attempted(self) -> int:
        """Measured requests that succeeded or failed."""
        return self.succeeded + self.failed

    @property
    def commonest_error(self) -> str | None:
        """The most frequent error kind; if several are equally frequent, the first by name. None if there are none."""
        return min(self.error_kinds, key=lambda kind: (-self.error_kinds[kind], kind), default=None)

    def encode(self) -> bytes:
        """The bytes to store. Takes some milliseconds for a long run."""
        return pack(state_of(self))

    @classmethod
    def decode(cls, stored: bytes) -> "RunAggregate | None":
        """Reads what `encode` wrote. None if another version wrote it in a format that this one does not know."""
        state = unpack(stored)
        if state is None:
            return None
        aggregate = cls(state["wave"])
        restore(aggregate, state)
        return aggregate

    def _add_lateness(self, result: Observed) -> None:
        self.lateness_ms.add(result.queue_ms, result.prompt_index)
        if result.queue_ms <= LATE_MS:
            return
        self.late += 1
        if result.send_delay_ms is not None:
            self.late_idle_us += round(result.send_delay_ms * 1_000)
            self.late_busy_us += result.ended_us - result.sent_us

    def _add_answer(self, result: Observed) -> None:
        """What the answer of any outcome says."""
        self.flags.update(result.flags)
        for counter, word in (
            (self.finish_reasons, result.finish_reason),
            (self.served_models, result.served_model),
            (self.service_tiers, result.service_tier),
        ):
            if word is not None:
                counter[_word(counter, word)] += 1
        for name in REPORTED:
            self.counts[name] = _sum(self.counts[name], result.counts[name])
        if self.reported is not None:
            self.reported.update(name for name in REPORTED if result.counts[name] is not None)
        total, read = result.counts["total_input_tokens"], result.counts["cache_read_tokens"]
        if total is not None and read is not None:
            self.cacheable_tokens += total
            self.cached_tokens += read

    def _add_succeeded(self, result: Observed) -> None:
        self.turns.add(result, self.metrics)
        self.sample.add(result)
        for name, digest in self.metrics.items():
            if (value := result.metrics[name]) is not None:
                digest.add(value, result.prompt_index)
        if result.network_rtt_ms is not None:
            self.network_rtt_ms.add(result.network_rtt_ms)
        self.generated_tokens += result.counts["output_tokens"] or 0
        if (latency_ms := result.metrics["latency_ms"]) is not None:
            self.effective_ms.add(result.queue_ms + latency_ms, result.prompt_index)
        if input_tokens := result.counts["total_input_tokens"]:
            ttft_ms = result.metrics["ttft_ms"]
            read_us = result.ended_us if ttft_ms is None else result.sent_us + round(ttft_ms * 1_000)
            self.prompt_tokens.add(read_us, input_tokens)
        written = result.written
        if result.gaps_ms is None or written is None:
            self.without_events += 1
            return
        self.gaps_ms.merge(result.gaps_ms)
        self.tokens.merge(written)

    def _counters(self, other: "RunAggregate") -> list[tuple[Counter[str], Counter[str]]]:
        return [
            (self.outcomes, other.outcomes),
            (self.error_kinds, other.error_kinds),
            (self.flags, other.flags),
            (self.finish_reasons, other.finish_reasons),
            (self.served_models, other.served_models),
            (self.service_tiers, other.service_tiers),
        ]

    def _digests(self, other: "RunAggregate") -> list[tuple[Digest, Digest]]:
        return [
            *((digest, other.metrics[name]) for name, digest in self.metrics.items()),
            (self.effective_ms, other.effective_ms),
            (self.error_ms, other.error_ms),
            (self.gaps_ms, other.gaps_ms),
            (self.lateness_ms, other.lateness_ms),
            (self.network_rtt_ms, other.network_rtt_ms),
        ]


def _word(counter: Counter[str], word: str) -> str:
    """The word under which it is counted: itself, or OTHER_WORDS if the counter has many words already.

    Only then does it matter in which order the results came.
    """
    return word if word in counter or len(counter) < MOST_WORDS else OTHER_WORDS


def _sum(total: int | None, value: int | None) -> int | None:
    return total if value is None else (total or 0) + value
