"""A server with slots and a queue under a closed loop, by calculation. Sweeps and searches are tested against it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.plan import Plan, Stage, StageResult
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.search.probe import Probe


class Served(NamedTuple):
    """Seconds: when a request was sent, when it got its slot and when it ended."""

    sent_s: float
    started_s: float
    ended_s: float


@dataclass(frozen=True)
class ClosedServer:
    """Each request holds one of `slots` for `service_s`, times a random factor of mean 1 with this deviation."""

    slots: int
    service_s: float = 1.0
    deviation: float = 0.1

    @property
    def capacity(self) -> float:
        """Requests/s at saturation."""
        return self.slots / self.service_s

    def requests(self, concurrency: int, random: Random) -> Iterator[Served]:
        """The requests of so many clients, endless, in the order of their ends."""
        waiting = deque([0.0] * concurrency)
        running: list[tuple[float, float, float]] = []
        now_s = 0.0
        while True:
            while waiting and len(running) < self.slots:
                factor = max(0.05, random.gauss(1, self.deviation))
                heappush(running, (now_s + self.service_s * factor, waiting.popleft(), now_s))
            now_s, sent_s, started_s = heappop(running)
            yield Served(sent_s, started_s, now_s)
            waiting.append(now_s)


class Measured(RunAggregate):
    """A part of a run, with the requests that met an SLO."""

    def set_slo(self, met: int, attempted: int) -> None:
        self.slo.met, self.slo.missed = met, attempted - met

    def be_doubtful(self, doubtful: int, succeeded: int) -> None:
        """So many of its first tokens are doubtful."""
        self.flags["ttft_doubtful"] = doubtful
        self.outcomes["succeeded"] = succeeded

    def fold(self, served: Served, *, met: bool, succeeded: bool = True) -> None:
        self.set_slo(self.slo.met + met, self.slo.attempted + 1)
        self.outcomes["succeeded" if succeeded else "errored"] += 1
        self.activity.add_due(int(served.sent_s * 1e6))
        self.activity.add(int(served.sent_s * 1e6), int(served.ended_s * 1e6), succeeded=succeeded)


class ProbePhase(Phase):
    """A phase of a test: it carries the probe that it was made of."""

    def __init__(self, probe: Probe) -> None:
        super().__init__(ClosedLoop(round(probe.value)))
        object.__setattr__(self, "probe", probe)

    __slots__ = ("probe",)
    probe: Probe


def stage_of(number: int, probe: Probe) -> Stage:
    return Stage(number, ProbePhase(probe), None, probe.label)


def probe_of(stage: Stage) -> Probe:
    assert isinstance(stage.measured, ProbePhase)
    return stage.measured.probe


def measure(server: ClosedServer, stage: Stage, random: Random, ttft_s: float) -> StageResult:
    """What a run of this stage shows. A request meets the SLO if it waits no longer than `ttft_s` for its slot."""
    probe = probe_of(stage)
    results, extent = Measured(round(probe.value)), probe.measured
    for served in server.requests(round(probe.value), random):
        if extent.duration_s is not None and served.sent_s > extent.duration_s:
            break
        results.fold(served, met=served.started_s - served.sent_s <= ttft_s)
        if results.slo.attempted == extent.requests:
            break
    return StageResult(stage.number, stage.label, "requests" if extent.requests else "duration", results)


def run(plan: Plan, server: ClosedServer, seed: int, ttft_s: float = 0.0) -> list[StageResult]:
    """All stages of the plan, one after another."""
    random, done = Random(seed), list[StageResult]()
    while (stage := plan.next(done)) is not None:
        done.append(measure(server, stage, random, ttft_s))
    return done
