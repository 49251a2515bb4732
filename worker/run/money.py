"""The money of one worker's part of a run: made before anything is sent, asked at its end."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import structlog

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import Workload
from shared.benchmark.worst_case import WorstCase
from shared.db.money.reservations import Bill, Paid, Refusal
from shared.db.money.spend import Charge
from shared.db.runs.lease import Lease
from shared.db.tables.benchmarks import Benchmark
from shared.providers.worst_case import WorstPrice
from worker.engine.recorded import Recorded
from worker.patience import until_available
from worker.run.budget import short_notice, stop_notice, wait_for_money
from worker.run.cannot_run import CannotRun
from worker.run.context import RunContext
from worker.run.probe_money import ProbeMoney
from worker.run.purse import Purse

log = structlog.get_logger(__name__)


class RunMoney:
    """What a part of a run may spend and has spent. `purse` has the amounts."""

    def __init__(self, context: RunContext, lease: Lease, purse: Purse, price: WorstPrice | None) -> None:
        """`price`: the dearest that may apply; None: it is not known."""
        self.purse = purse
        # The cap that could not pay for more. None: none has stopped the run.
        self.stopped_by: Refusal | None = None
        self._context = context
        self._lease = lease
        self._price = price

    def charges(self, unanswered: Sequence[RequestId]) -> Mapping[date | None, Charge]:
        """What the end of this part settles, by day. `unanswered`: requests that may have been sent."""
        return self.purse.left(unanswered)

    @property
    def notices(self) -> list[str]:
        """What a budget did to the run, for people."""
        stop = None if self.stopped_by is None else stop_notice(self.stopped_by)
        return [notice for notice in (stop, short_notice(self.purse.short_results)) if notice is not None]

    async def pay(self, bill: Bill) -> Paid:
        """Reserves without a result. Raises LeaseLost."""
        payments = self._context.payments
        return await until_available(lambda: payments.pay(self._lease, bill), "money_waits")

    async def wait(self, allow: Callable[[int], None], stop: Callable[[], None]) -> None:
        """Beside the run: waits for money when there is none; if none comes, calls `stop`. Raises LeaseLost."""

        def give_up(refusal: Refusal) -> None:
            log.info("budget_reached", cap=refusal.cap.key, needed=refusal.needed)
            self.stopped_by = refusal
            stop()

        await wait_for_money(self.purse, self.pay, self._context.clock, allow, give_up)

    def of_probes(self, workload: Workload, extra: ExtraFields) -> ProbeMoney:
        """The money of probes, which are the requests of this workload, whose bodies get these fields."""
        costs = None if self._price is None else WorstCase(workload, self._price.micro_usd, extra).of_place(0)
        return ProbeMoney(self.purse, None if costs is None else sum(costs), self.pay)


async def is_capped(context: RunContext, benchmark: Benchmark) -> bool:
    """Whether a cap counts for a run that begins now."""
    return await until_available(lambda: context.payments.is_capped(benchmark), "caps_wait")


def make_purse(
    benchmark: Benchmark, spec: BenchmarkSpec, worst: WorstCase | None, recorded: Recorded, *, capped: bool
) -> Purse:
    """Raises CannotRun if a cap counts, and what requests cost is not known."""
    if capped and worst is None and not spec.allow_unpriced:
        message = f"no price of {spec.model} at {benchmark.provider} is known, so no budget can count it"
        raise CannotRun("unpriced_model", f"{message}: set allow_unpriced to run it all the same")
    load = spec.load
    whole_loads = load is not None and (load.sweep is not None or load.search is not None)
    return Purse(worst, recorded, capped=capped, whole_loads=whole_loads)
