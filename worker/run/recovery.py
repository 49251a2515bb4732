"""Reads what earlier workers left of a benchmark: results, their aggregate, and requests that may be sent twice."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.benchmark.load.places import PLACES_A_PART, part_of
from shared.benchmark.load.plan import PlannedLoad, Stage, StageResult
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import of_row
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.warmup_prefix import UniqueWarmup
from shared.benchmark.workload.workload import Workload
from shared.db.money.spend import NOTHING, Charge
from shared.db.runs.lease import Lease
from shared.db.tables.benchmarks import Benchmark, Result, Segment, StageRow
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.providers.prices import PriceSnapshot
from shared.providers.worst_case import WorstPrice
from shared.providers.worst_requests import worst_case
from worker.engine.recorded import Recorded
from worker.engine.turn_gate import MOST_UNSTORED
from worker.patience import until_available
from worker.run.cannot_run import CannotRun
from worker.run.context import RunContext
from worker.run.stages import merged

# How many stored results are folded at a time, in a thread.
PAGE = 500


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a run begins with. Empty if no worker has run the benchmark before.

    `sent_in_vain`: how often earlier workers may have sent a request without its answer being stored.
    """

    results: RunAggregate
    # The stages that have ended, and what there is of the one after them. Empty for runs without stages.
    stages: Sequence[StageResult] = ()
    begun: Mapping[int, RunAggregate] = field(default_factory=dict)
    recorded: Recorded = field(default_factory=Recorded)
    sent_in_vain: Counter[RequestId] = field(default_factory=Counter)


class Recovery:
    """Reads what is stored of one benchmark, for the worker that holds its lease."""

    def __init__(self, context: RunContext, lease: Lease, benchmark: Benchmark) -> None:
        self._context = context
        self._lease = lease
        self._benchmark = benchmark
        self._spec: BenchmarkSpec | None = None

    async def spec(self) -> BenchmarkSpec:
        """The spec with its prompts. It is read once. Raises Conflict if its texts were deleted."""
        if self._spec is not None:
            return self._spec
        spec, _ = await until_available(lambda: self._context.benchmarks.spec(self._lease.benchmark_id), "spec_waits")
        self._spec = spec
        return spec

    async def load(self) -> PlannedLoad | None:
        """The benchmark's load; None if its texts were deleted, since the order of its requests is then unknown."""
        try:
            spec = await self.spec()
        except Conflict:
            return None
        owner = self._benchmark.owner
        try:
            rows = await until_available(lambda: self._context.datasets.rows_of(spec, owner), "rows_wait")
            # In a thread: a trace is sorted, and a corpus is indexed.
            load = await asyncio.to_thread(self._context.load_of, spec, rows=rows)
        except (InvalidRequest, NotFound) as exc:
            raise CannotRun("workload_unusable", exc.message) from None
        if not spec.warmup_prefix:
            return load
        return replace(load, workload=UniqueWarmup(load.workload, self._lease.benchmark_id))

    async def take_over(self, load: PlannedLoad | None) -> Inheritance:
        """Closes the segments that dead workers left open, and reads what all earlier workers did."""
        nothing = self._empty(load)
        if not self._benchmark.interrupted:
            return Inheritance(nothing)
        segments = await self._segments()
        if any(segment.ended_at is None for segment in segments):
            maybe_sent = await self.maybe_sent(load)
            unanswered, worst = stored_ids(load, maybe_sent), self._worst_case(load, maybe_sent)
            await until_available(
                lambda: self._context.leases.end_crashed(self._lease, unanswered, worst), "takeover_waits"
            )
            segments = await self._segments()
        sent_in_vain = Counter(_request_id(load, stored) for segment in segments for stored in segment.unanswered or ())
        results = await self._results(load, segments, nothing, sent_in_vain)
        stages, begun = await until_available(lambda: self._stages(load, segments, sent_in_vain), "takeover_waits")
        return Inheritance(results, stages, begun, await self._recorded(load), sent_in_vain)

    async def maybe_sent(self, load: PlannedLoad | None) -> list[RequestId]:
        """Requests that were marked before sending and have no result."""
        if load is None:
            return []
        dispatched = (await self._benchmark_now()).dispatched
        recorded = await self._recorded(load)
        return await asyncio.to_thread(without_result, load.workload, recorded, dispatched)

    def _worst_case(self, load: PlannedLoad | None, maybe_sent: Sequence[RequestId]) -> Charge:
        """What these requests may have cost, by the price of the dead worker. It counts if no cap has reserved it."""
        stored, spec = self._benchmark.price or {}, self._spec
        if load is None or spec is None or not maybe_sent:
            return NOTHING
        if "input_usd_per_mtok" not in stored:
            return Charge(requests=len(maybe_sent), unpriced=len(maybe_sent))
        endpoint = self._context.endpoints.get(self._benchmark.provider)
        worst = worst_case(WorstPrice([PriceSnapshot(stored)]), spec, load.workload, endpoint)
        amount = 0 if worst is None else sum(worst.of_request(*request_id) for request_id in maybe_sent)
        return Charge(amount, amount, len(maybe_sent))

    async def _benchmark_now(self) -> Benchmark:
        return await until_available(lambda: self._context.benchmarks.get(self._lease.benchmark_id), "takeover_waits")

    async def _segments(self) -> Sequence[Segment]:
        return await until_available(lambda: self._context.segments.of(self._lease.benchmark_id), "takeover_waits")

    async def _recorded(self, load: PlannedLoad | None) -> Recorded:
        if load is None:
            return Recorded()
        return await until_available(lambda: self._read_recorded(load), "takeover_waits")

    async def _read_recorded(self, load: PlannedLoad) -> Recorded:
        recorded = Recorded()
        workload, number = load.workload, self._lease.benchmark_id
        if not workload.has_turns:
            async for page in self._context.results.keys(number):
                for prompt_index, repetition in page:
                    recorded.add(workload.id_of(prompt_index, repetition))
            return recorded
        async for answers in self._context.results.answers(number):
            for prompt_index, repetition, answer in answers:
                request_id = workload.id_of(prompt_index, repetition)
                recorded.add_turn(request_id, answer)
                recorded.forget_if_over(workload, request_id.place)
        return recorded

    async def _results(
        self,
        load: PlannedLoad | None,
        segments: Sequence[Segment],
        results: RunAggregate,
        sent_in_vain: Counter[RequestId],
    ) -> RunAggregate:
        """The merge of the segments' aggregates. If there are more rows than these cover, rebuilt from the rows."""
        stored = [None if item.aggregate is None else RunAggregate.decode(item.aggregate) for item in segments]
        for aggregate in stored:
            if aggregate is not None:
                results.merge(aggregate)
        if results.count == (await self._benchmark_now()).done:
            return results
        return await until_available(lambda: self._rebuilt(load, segments, sent_in_vain), "takeover_waits")

    async def _stages(
        self, load: PlannedLoad | None, segments: Sequence[Segment], sent_in_vain: Counter[RequestId]
    ) -> tuple[list[StageResult], dict[int, RunAggregate]]:
        """The stages that have ended, and what is stored of those in progress, by number."""
        rows = {row.number: row for row in await self._context.stages.of(self._lease.benchmark_id)}
        ended: list[StageResult] = []
        while load is not None and rows and (stage := load.plan.next(ended)) is not None:
            begun = [each for each in stage.shown if each.number in rows]
            results = {
                each.number: await self._of_stage(load, each, rows[each.number], segments, sent_in_vain)
                for each in begun
            }
            numbers = list(results)
            why = rows[numbers[0]].ended_by if numbers else None
            if why is None or any(rows[number].ended_by is None for number in numbers):
                return ended, results
            ended.append(StageResult(stage.number, stage.label, why, merged(list(results.values()))))
        return ended, {}

    async def _of_stage(
        self,
        load: PlannedLoad,
        stage: Stage,
        row: StageRow,
        segments: Sequence[Segment],
        sent_in_vain: Counter[RequestId],
    ) -> RunAggregate:
        """What the stored results of a stage add up to: as its end was stored, or rebuilt from the results."""
        stored = None if row.aggregate is None else RunAggregate.decode(row.aggregate)
        if stored is not None:
            return stored
        empty = RunAggregate(stage.measured.pace.max_in_flight, self._benchmark.spec.slos)
        return await self._fold_all(empty, load, segments, sent_in_vain, stage=row.number)

    def _empty(self, load: PlannedLoad | None) -> RunAggregate:
        spec = self._benchmark.spec
        return RunAggregate(load.plan.max_in_flight if load is not None else spec.concurrency, spec.slos)

    async def _rebuilt(
        self, load: PlannedLoad | None, segments: Sequence[Segment], sent_in_vain: Counter[RequestId]
    ) -> RunAggregate:
        results = await self._fold_all(self._empty(load), load, segments, sent_in_vain)
        for segment in segments:
            if segment.measurement is not None:
                results.verdicts.append((segment.measurement["grade"], segment.measurement["reasons"]))
            elif segment.results:
                reason = f"the worker that measured {segment.results} of the results died: how late it was is not known"
                results.verdicts.append(("D", [reason]))
        return results

    async def _fold_all(
        self,
        results: RunAggregate,
        load: PlannedLoad | None,
        segments: Sequence[Segment],
        sent_in_vain: Counter[RequestId],
        *,
        stage: int | None = None,
    ) -> RunAggregate:
        """Adds the stored results to `results`; with `stage`, those of this stage."""
        begins = await self._begins(segments)

        def fold(rows: Sequence[Result]) -> None:
            _fold(results, rows, begins, load, sent_in_vain)

        page = list[Result]()
        async for row in self._context.results.all_for_summary(self._lease.benchmark_id, stage=stage):
            page.append(row)
            if len(page) == PAGE:
                await asyncio.to_thread(fold, page)
                page = []
        await asyncio.to_thread(fold, page)
        return results

    async def _begins(self, segments: Sequence[Segment]) -> list[tuple[int, int]]:
        """(id of its first result, fence) of each segment with results, in their order. One lease stores at a time."""
        found = []
        for segment in segments:
            first = await self._context.results.id_after(self._lease.benchmark_id, segment.done_before)
            if first is not None:
                found.append((first, segment.fence))
        return found


def stored_ids(load: PlannedLoad | None, ids: Sequence[RequestId]) -> list[list[int]]:
    """Requests as segments store them: [prompt, repetition]."""
    if load is None:
        return []
    # What was answered does not matter here.
    items = [load.workload.item(place, turn, [""] * turn) for place, turn in ids]
    return [[item.prompt_index, item.repetition] for item in items if item is not None]


def without_result(workload: Workload, recorded: Recorded, dispatched: int) -> list[RequestId]:
    """Requests of places below `dispatched` that may have been sent and have no result."""
    if not dispatched:
        return []
    # Every part before the last one ended with a result for each request that it had sent.
    first = part_of(dispatched - 1) * PLACES_A_PART
    places = (place for place in range(first, dispatched) if recorded.is_open(workload, place))
    return [request_id for place in places for request_id in _sent_of(workload, place, recorded.turns(place))]


def _sent_of(workload: Workload, place: int, turn: int) -> list[RequestId]:
    """What may have been sent of a place, whose results end before `turn`: that turn, and those that need not wait."""
    if not workload.has_turns:
        return [RequestId(place, turn)]
    turns = range(turn, turn + 1 + MOST_UNSTORED)
    # What was answered does not matter here.
    return [RequestId(place, each) for each in turns if workload.item(place, each, [""] * each) is not None]


def _request_id(load: PlannedLoad | None, stored: Sequence[int]) -> RequestId:
    if load is None:
        # Only the number of these requests matters, because nothing more of the run is sent.
        return RequestId(-1)
    prompt_index, repetition = stored
    return load.workload.id_of(prompt_index, repetition)


def _fold(
    results: RunAggregate,
    rows: Sequence[Result],
    begins: Sequence[tuple[int, int]],
    load: PlannedLoad | None,
    sent_in_vain: Counter[RequestId],
) -> None:
    """`begins`: (id of its first result, fence) of each segment, in their order."""
    for row in rows:
        request_id = _request_id(load, (row.prompt_index, row.repetition))
        segment = max((fence for first, fence in begins if first <= row.id), default=None)
        results.add(
            of_row(row, request_id),
            sent_in_vain=sent_in_vain[request_id] if load is not None else 0,
            segment=segment,
        )
