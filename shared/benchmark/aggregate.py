"""What a run's results add up to: one aggregate for each segment, folded as results arrive, merged for the summary.

It stays small however long the run is. It depends only on the results, not on their order or on how the run was split,
so it can be stored with them or be rebuilt from them.
"""

import zlib
from collections import Counter
from decimal import Decimal

import orjson

from shared.benchmark.activity import Activity
from shared.benchmark.observed import Observed
from shared.benchmark.outcome import FAILURES
from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance, Verdict
from shared.numbers.metrics import DISTRIBUTED, REPORTED
from shared.numbers.time_series import TimeSeries

# The most different words of servers that are counted one by one. All further ones are counted under OTHER_WORDS.
MOST_WORDS = 50
OTHER_WORDS = "(other)"
# The first byte of a stored aggregate names its format.
_FORMAT = b"\x01"


class RunAggregate:
    """What the results of one segment or one run add up to. `wave`: the concurrency, the size of the first wave."""

    def __init__(self, wave: int) -> None:
        self.wave = wave
        self.outcomes: Counter[str] = Counter()
        self.warmup = 0
        self.error_kinds: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        # Whether a prompt was sent more than once, as far as the ids tell. Then its results depend on each other.
        self.repeats = False
        # How answers ended, and what they say they came from. Servers choose these words: `_word` bounds their number.
        self.finish_reasons: Counter[str] = Counter()
        self.served_models: Counter[str] = Counter()
        self.service_tiers: Counter[str] = Counter()
        self.metrics = {name: Digest() for name in DISTRIBUTED}
        self.effective_ms = Digest()
        self.error_ms = Digest()
        self.gaps_ms = Digest()
        # How many succeeded requests have unknown events. `gaps_ms` and `tokens` lack them.
        self.without_events = 0
        self.tokens = TimeSeries()
        # Output tokens of succeeded requests that had content.
        self.generated_tokens = 0
        # Sums of the known values; None if none is known.
        self.counts: dict[str, int | None] = dict.fromkeys(REPORTED)
        # Input tokens of requests whose usage speaks of a cache, and how many of them were read from it.
        self.cacheable_tokens = 0
        self.cached_tokens = 0
        self.cost_usd: Decimal | None = None
        self.provider_cost_usd: Decimal | None = None
        self.warmup_cost_usd: Decimal | None = None
        self.unpriced = 0
        # Requests, warm-up included, that were sent again because a kept connection was closed under them.
        self.renewed = 0
        # Requests that were sent again, by this segment or after an earlier one: how many have a price, and what they
        # cost.
        self.duplicates_priced = 0
        self.duplicates_cost_usd: Decimal | None = None
        self.activity = Activity(wave)
        self.disturbance: Disturbance | None = None
        # One for each segment that measured something.
        self.verdicts: list[Verdict] = []

    def add(self, result: Observed, *, sent_in_vain: int = 0) -> None:
        """Adds a result. Warm-up counts only for cost, and a cancelled request only for the peak in flight.

        `sent_in_vain`: how often earlier segments may have sent the same request. Each is priced like this result, and
        so is the attempt before a renewed connection: the server may have worked on it.
        """
        renewed = "connection_renewed" in result.flags
        self.renewed += renewed
        sent_in_vain += renewed
        if sent_in_vain and result.cost_usd is not None:
            self.duplicates_priced += sent_in_vain
            self.duplicates_cost_usd = plus(self.duplicates_cost_usd, sent_in_vain * result.cost_usd)
        if result.warmup:
            self.warmup += 1
            self.warmup_cost_usd = plus(self.warmup_cost_usd, result.cost_usd)
            return
        self.repeats |= result.repetition > 0 or result.id.turn > 0
        self.outcomes[result.outcome] += 1
        self.cost_usd = plus(self.cost_usd, result.cost_usd)
        self.unpriced += result.cost_usd is None
        self.flags.update(result.flags)
        self.provider_cost_usd = plus(self.provider_cost_usd, result.provider_cost_usd)
        for counter, word in (
            (self.finish_reasons, result.finish_reason),
            (self.served_models, result.served_model),
            (self.service_tiers, result.service_tier),
        ):
            if word is not None:
                counter[_word(counter, word)] += 1
        for name in REPORTED:
            self.counts[name] = _sum(self.counts[name], result.counts[name])
        total, read = result.counts["total_input_tokens"], result.counts["cache_read_tokens"]
        if total is not None and read is not None:
            self.cacheable_tokens += total
            self.cached_tokens += read
        if result.outcome == "cancelled":
            self.activity.add_cancelled(result.sent_us, result.ended_us)
        else:
            self.activity.add(result.sent_us, result.ended_us, succeeded=result.outcome == "succeeded")
        if result.outcome == "succeeded":
            self._add_succeeded(result)
            return
        if result.error_kind is not None:
            self.error_kinds[result.error_kind] += 1
        if result.outcome != "cancelled" and result.ended_us > result.sent_us:
            self.error_ms.add((result.ended_us - result.sent_us) / 1_000, result.prompt_index)

    def merge(self, other: "RunAggregate") -> None:
        """Adds another segment of the same run."""
        self.repeats |= other.repeats
        self.warmup += other.warmup
        self.unpriced += other.unpriced
        self.without_events += other.without_events
        self.generated_tokens += other.generated_tokens
        self.renewed += other.renewed
        self.duplicates_priced += other.duplicates_priced
        self.cacheable_tokens += other.cacheable_tokens
        self.cached_tokens += other.cached_tokens
        self.cost_usd = plus(self.cost_usd, other.cost_usd)
        self.provider_cost_usd = plus(self.provider_cost_usd, other.provider_cost_usd)
        self.warmup_cost_usd = plus(self.warmup_cost_usd, other.warmup_cost_usd)
        self.duplicates_cost_usd = plus(self.duplicates_cost_usd, other.duplicates_cost_usd)
        for name in REPORTED:
            self.counts[name] = _sum(self.counts[name], other.counts[name])
        for ours, theirs in self._counters(other):
            for word, count in theirs.items():
                ours[_word(ours, word)] += count
        for mine, its in self._digests(other):
            mine.merge(its)
        self.tokens.merge(other.tokens)
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
        """Measured requests that failed. Cancelled ones do not count."""
        return sum(self.outcomes[name] for name in FAILURES)

    @property
    def commonest_error(self) -> str | None:
        """The most frequent error kind; if several are equally frequent, the first by name. None if there are none."""
        return min(self.error_kinds, key=lambda kind: (-self.error_kinds[kind], kind), default=None)

    def encode(self) -> bytes:
        """The bytes to store. Takes some milliseconds for a long run."""
        state = {
            "wave": self.wave,
            "activity": self.activity.document(),
            "outcomes": self.outcomes,
            "warmup": self.warmup,
            "error_kinds": self.error_kinds,
            "flags": self.flags,
            "repeats": self.repeats,
            "finish_reasons": self.finish_reasons,
            "served_models": self.served_models,
            "service_tiers": self.service_tiers,
            "metrics": {name: digest.document() for name, digest in self.metrics.items()},
            "effective_ms": self.effective_ms.document(),
            "error_ms": self.error_ms.document(),
            "gaps_ms": self.gaps_ms.document(),
            "without_events": self.without_events,
            "tokens": self.tokens.document(),
            "generated_tokens": self.generated_tokens,
            "counts": self.counts,
            "cacheable_tokens": self.cacheable_tokens,
            "cached_tokens": self.cached_tokens,
            "provider_cost_usd": _text(self.provider_cost_usd),
            "costs": [_text(item) for item in (self.cost_usd, self.warmup_cost_usd, self.duplicates_cost_usd)],
            "unpriced": self.unpriced,
            "renewed": self.renewed,
            "duplicates_priced": self.duplicates_priced,
            "disturbance": None if self.disturbance is None else self.disturbance.state(),
            "verdicts": self.verdicts,
        }
        return _FORMAT + zlib.compress(orjson.dumps(state), 1)

    @classmethod
    def decode(cls, stored: bytes) -> "RunAggregate | None":
        """Reads what `encode` wrote. None if another version wrote it in a format that this one does not know."""
        if not stored.startswith(_FORMAT):
            return None
        state = orjson.loads(zlib.decompress(stored[1:]))
        aggregate = cls(state["wave"])
        aggregate.activity = Activity.load(state["activity"])
        for name in ("outcomes", "error_kinds", "flags"):
            setattr(aggregate, name, Counter(state[name]))
        # Versions before did not have these.
        for name in ("finish_reasons", "served_models", "service_tiers"):
            setattr(aggregate, name, Counter(state.get(name, {})))
        for name in ("cacheable_tokens", "cached_tokens", "renewed"):
            setattr(aggregate, name, state.get(name, 0))
        if state.get("provider_cost_usd") is not None:
            aggregate.provider_cost_usd = Decimal(state["provider_cost_usd"])
        for name in ("warmup", "without_events", "generated_tokens", "unpriced", "duplicates_priced"):
            setattr(aggregate, name, state[name])
        # Older programs did not say. Without the prompts of the values, no interval is better than a wrong one.
        aggregate.repeats = state.get("repeats", True)
        # A worker of another version may know other metrics. Those that it did not measure stay empty.
        for name in aggregate.metrics.keys() & state["metrics"].keys():
            aggregate.metrics[name] = Digest.load(state["metrics"][name])
        for name in aggregate.counts.keys() & state["counts"].keys():
            aggregate.counts[name] = state["counts"][name]
        for name in ("effective_ms", "error_ms", "gaps_ms"):
            setattr(aggregate, name, Digest.load(state[name]))
        aggregate.tokens = TimeSeries.load(state["tokens"])
        costs = [None if item is None else Decimal(item) for item in state["costs"]]
        aggregate.cost_usd, aggregate.warmup_cost_usd, aggregate.duplicates_cost_usd = costs
        if state["disturbance"] is not None:
            aggregate.disturbance = Disturbance.load(state["disturbance"])
        aggregate.verdicts = [(grade, reasons) for grade, reasons in state["verdicts"]]
        return aggregate

    def _add_succeeded(self, result: Observed) -> None:
        for name, digest in self.metrics.items():
            if (value := result.metrics[name]) is not None:
                digest.add(value, result.prompt_index)
        latency_ms, output_tokens = result.metrics["latency_ms"], result.counts["output_tokens"]
        if latency_ms is not None:
            self.effective_ms.add(result.queue_ms + latency_ms, result.prompt_index)
            self.generated_tokens += output_tokens or 0
        if result.gaps_ms is None or result.tokens is None:
            self.without_events += 1
            return
        self.gaps_ms.merge(result.gaps_ms)
        self.tokens.merge(result.tokens)

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
        ]


def _word(counter: Counter[str], word: str) -> str:
    """The word under which it is counted: itself, or OTHER_WORDS if the counter has many words already.

    Only then does it matter in which order the results came.
    """
    return word if word in counter or len(counter) < MOST_WORDS else OTHER_WORDS


def plus(total: Decimal | None, value: Decimal | None) -> Decimal | None:
    """The sum of the known values. None means unknown, which is not zero: if both are None, so is the sum."""
    return total if value is None else (total or Decimal(0)) + value


def _sum(total: int | None, value: int | None) -> int | None:
    return total if value is None else (total or 0) + value


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
