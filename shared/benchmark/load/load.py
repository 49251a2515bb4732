"""What the engine sends: a workload, and the phases in which it is sent. `plans.py` makes it from a spec."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from shared.benchmark.load.pace import Pace
from shared.benchmark.load.stop import StopRule
from shared.benchmark.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class Phase:
    """Places `first` … `end` - 1 of the workload at one pace. `end` None: until the workload or the stop rule ends it.

    A phase begins when every request of the phase before has ended.
    `drop_after_ns`: a request that could not be sent so long after it was due is not sent any more. None: never.
    `max_prefill`: how many requests may wait for their first token at the same time. None: any number.
    """

    pace: Pace
    first: int = 0
    end: int | None = None
    stop: StopRule = field(default_factory=StopRule)
    drop_after_ns: int | None = None
    max_prefill: int | None = None
    # Of seamless stages that are sent as one part: when each stage ends, in ns after the start of the phase.
    boundaries_ns: Sequence[int] = ()
    # How much of the phase earlier workers have measured, in ns. The rest of a schedule knows it by itself.
    gone_ns: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What an engine sends, and when. `slots`: the most requests that are ever in flight; None: known from the phases.

    Phases that depend on results come one by one: each is asked for when every record of the phase before was taken.
    """

    workload: Workload
    phases: Sequence[Phase] | AsyncIterator[Phase]
    slots: int | None = None

    async def one_by_one(self) -> AsyncIterator[Phase]:
        """The phases, in their order."""
        if isinstance(self.phases, AsyncIterator):
            async for phase in self.phases:
                yield phase
        else:
            for phase in self.phases:
                yield phase

    @property
    def concurrency(self) -> int:
        """The most requests that are ever in flight. Raises ValueError if it is not known."""
        if self.slots is not None:
            return self.slots
        if isinstance(self.phases, AsyncIterator):
            raise ValueError("phases that come one by one need `slots`")
        return max(phase.pace.max_in_flight for phase in self.phases)
