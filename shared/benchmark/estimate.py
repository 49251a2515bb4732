"""What a benchmark will send, take and cost, before it starts: for the answer to a submit and `POST …/estimate`.

Nothing is read from earlier results: what depends on how the endpoint answers is a range, or unknown.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

from shared.benchmark.estimated_duration import duration_of
from shared.benchmark.load.load import Phase
from shared.benchmark.load.places import is_warmup
from shared.benchmark.load.plan import FixedPlan, Plan
from shared.benchmark.spec import MAX_PROMPTS, BenchmarkSpec
from shared.benchmark.workload.workload import WorkItem, Workload

# Of how many requests of a part the tokens are counted. Those of the others are like them.
SAMPLED = 1_000
BYTES_A_TOKEN = 4

# The number of tokens of a text.
Count = Callable[[str], int]
# What a request with these input and output tokens costs, in USD. None: unknown.
Cost = Callable[[int, int], Decimal | None]


@dataclass(frozen=True, slots=True)
class Span:
    """A quantity that lies between two bounds. None: that bound is not known."""

    low: float | None
    high: float | None

    def __add__(self, other: "Span") -> "Span":
        # A part without a lower bound adds nothing to it; without an upper one, there is none.
        lows = [low for low in (self.low, other.low) if low is not None]
        high = None if self.high is None or other.high is None else self.high + other.high
        return Span(sum(lows) if lows else None, high)


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Of the requests of a part, on average: input tokens, and the bounds of output tokens and cost."""

    input: float
    output: Span
    cost: Span | None


def estimate(
    spec: BenchmarkSpec,
    plan: Plan,
    workload: Workload | None,
    cost: Cost,
    count: Count | None = None,
    *,
    sampled: int = SAMPLED,
) -> dict[str, Any]:
    """The estimate as JSON. `spec` has its defaults. `workload` None: its texts are not here.

    `count` None: a token is taken for BYTES_A_TOKEN bytes of UTF-8. Chat templates add some tokens to either count.
    `sampled`: of how many requests of each part the tokens are counted.
    """
    phases, length = phases_of(plan), None if workload is None else workload.length
    sizes = None if phases is None else [requests_of(phase, length) for phase in phases]
    notes = _notes(workload, phases)
    total = plan.planned_requests
    if sizes is not None and None not in sizes:
        total = sum(size for size in sizes if size is not None)
    document: dict[str, Any] = {
        "requests": total,
        "warmup_requests": None,
        "input_tokens": None,
        "output_tokens": None,
        "duration_s": None,
        "cost_usd": None,
        "tokens_counted_by": "bytes" if count is None else "tokenizer",
        "notes": notes,
    }
    if phases is None or sizes is None:
        return {**document, "duration_s": _span(_capped(Span(None, None), spec))}
    warmups = [size for phase, size in zip(phases, sizes, strict=True) if _is_warmup(phase, spec)]
    if None not in warmups:
        document["warmup_requests"] = sum(size for size in warmups if size is not None)
    longest_s = spec.timeouts.connect_s + spec.timeouts.total_s
    has_turns = _may_have_turns(spec, workload)
    spans = [
        Span(*duration_of(phase, size, longest_s, has_turns=has_turns))
        for phase, size in zip(phases, sizes, strict=True)
    ]
    document["duration_s"] = _span(_capped(_sum(spans), spec))
    if total is None or workload is None or workload.has_turns:
        return document
    counting = _Counting(spec, workload, cost, count or _bytes, sampled)
    found = [(size, counting.of(phase, size)) for phase, size in zip(phases, sizes, strict=True) if size]
    document["input_tokens"] = round(sum(size * tokens.input for size, tokens in found))
    output = _sum(_times(tokens.output, size) for size, tokens in found)
    document["output_tokens"] = {"low": round(output.low or 0), "high": round(output.high or 0)}
    costs = [None if tokens.cost is None else _times(tokens.cost, size) for size, tokens in found]
    if costs and None not in costs:
        document["cost_usd"] = _span(_sum(item for item in costs if item is not None), digits=12)
    return document


def phases_of(plan: Plan) -> list[Phase] | None:
    """Every part that will be sent. None if that depends on results."""
    if not isinstance(plan, FixedPlan):
        return None
    return list(chain.from_iterable(stage.phases for stage in plan.stages))


def requests_of(phase: Phase, length: int | None) -> int | None:
    """How many requests the part sends. None if that depends on how fast the endpoint answers."""
    end = phase.end if length is None else min(phase.end or length, length)
    planned = None if end is None else end - phase.first
    if phase.stop.send_for_ns is None:
        return planned
    due = phase.pace.expected(phase.stop.send_for_ns / 1e9)
    if due is None:
        return None
    return round(due) if planned is None else min(planned, round(due))


def _may_have_turns(spec: BenchmarkSpec, workload: Workload | None) -> bool:
    if workload is not None:
        return workload.has_turns
    source = None if spec.workload is None else spec.workload.dataset
    return source is not None and source.has_turns


class _Counting:
    """Counts the tokens of the requests of a part, of all of them or of a sample."""

    def __init__(self, spec: BenchmarkSpec, workload: Workload, cost: Cost, count: Count, sampled: int) -> None:
        self._spec = spec
        self._workload = workload
        self._cost = cost
        self._count = lru_cache(maxsize=MAX_PROMPTS)(count)
        self._sampled = sampled

    def of(self, phase: Phase, size: int) -> _Tokens:
        """The means of a part of `size` requests."""
        reads, lows, highs, costs = [], [], [], []
        for item in filter(None, map(self._workload.item, self._places(phase, size))):
            texts = [message["content"] for message in item.messages]
            read = sum(map(self._count, texts if item.system is None else [item.system, *texts]))
            low, high = _output(item, self._spec)
            reads.append(read)
            lows.append(low)
            highs.append(high)
            costs.append((self._cost(read, low), self._cost(read, high)))
        number = len(reads) or 1
        known = [(low, high) for low, high in costs if low is not None and high is not None]
        cost = None
        if known and len(known) == len(costs):
            cost = Span(*(float(sum(side, Decimal(0))) / number for side in zip(*known, strict=True)))
        return _Tokens(sum(reads) / number, Span(sum(lows) / number, sum(highs) / number), cost)

    def _places(self, phase: Phase, size: int) -> Iterable[int]:
        """The places whose tokens are counted: all, whole rounds of the prompts, or a random sample."""
        prompts = len(self._spec.prompts)
        if size <= self._sampled:
            return range(phase.first, phase.first + size)
        if 0 < prompts <= self._sampled:
            return range(phase.first, phase.first + self._sampled // prompts * prompts)
        generator = random.Random(0)  # noqa: S311 - for no secrets
        return (phase.first + generator.randrange(size) for _ in range(self._sampled))


def _output(item: WorkItem, spec: BenchmarkSpec) -> tuple[int, int]:
    """The fewest and most output tokens of a request. Where the server is told to, it writes all."""
    most = item.parameters.max_tokens or 0
    fields = {**spec.extra_body, **item.extra_body}
    told = fields.get("min_tokens")
    fewest = min(told, most) if isinstance(told, int) and told > 0 else 0
    return (most if fields.get("ignore_eos") is True else fewest), most


def _bytes(text: str) -> int:
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def _is_warmup(phase: Phase, spec: BenchmarkSpec) -> bool:
    """In a run without a `load`, warm-up goes before the places of the measured requests."""
    return is_warmup(phase.first) if spec.has_stages else phase.first < spec.warmup


def _notes(workload: Workload | None, phases: list[Phase] | None) -> list[str]:
    notes = []
    if phases is None:
        notes.append("Which stages come depends on results, so only upper bounds are known.")
    if workload is None:
        notes.append("The texts or the tokenizer are not at hand here, so tokens and cost are not known.")
    elif workload.has_turns:
        notes.append("The prompts of later turns carry the answers before, so tokens and cost are not known.")
    return notes


def _capped(span: Span, spec: BenchmarkSpec) -> Span:
    most = spec.max_duration_s
    if most is None:
        return span
    return Span(None if span.low is None else min(span.low, most), most if span.high is None else min(span.high, most))


def _span(span: Span, digits: int = 3) -> dict[str, float | None] | None:
    """As JSON; None if neither bound is known."""
    if span.low is None and span.high is None:
        return None
    return {name: None if (value := getattr(span, name)) is None else round(value, digits) for name in ("low", "high")}


def _sum(spans: Iterable[Span]) -> Span:
    total: Span | None = None
    for span in spans:
        total = span if total is None else total + span
    return Span(None, None) if total is None else total


def _times(span: Span, factor: int) -> Span:
    return Span(*(None if value is None else value * factor for value in (span.low, span.high)))
