"""The benchmarks in which the cases are measured, and those that are about a run as a whole."""

from collections.abc import Sequence
from dataclasses import replace

from tests.e2e.field.case import Answer, Case, Transport, between
from tests.e2e.field.cases import CASES
from tests.e2e.field.runs import Run, runs_of
from tests.e2e.field.wire import DONE, HI, STOP, text, usage

TTFT_S = 2

# Every second of sixteen requests gets no answer.
HANGING = tuple(
    Case(
        f"hangs-{number}",
        Answer(ending="open", raw=True),
        {"outcome": "timed_out", "error_kind": "ttft_timeout", "ended_ms": between(1_900, 3_000)},
    )
    if number % 2
    else Case(
        f"answers-{number}",
        Answer((100, HI), (200, text("!") + STOP + usage(10, 5) + DONE)),
        {"outcome": "succeeded", "latency_ms": 200},
    )
    for number in range(16)
)
# One after the other: the wait of each is in `queue_ms`.
QUEUED = tuple(
    Case(
        f"queued-{number}",
        Answer((250, HI), (500, text("!") + STOP + usage(10, 5) + DONE)),
        {"outcome": "succeeded", "ttft_ms": 250, "latency_ms": 500},
    )
    for number in range(5)
)
# 50 clients, each event in two halves 20 ms apart.
HALVED = tuple(
    Case(
        f"halved-{number}",
        Answer(
            (50, HI[:100]),
            (70, HI[100:]),
            (90, STOP[:50]),
            (110, STOP[50:] + usage(10, 5)[:60]),
            (130, usage(10, 5)[60:] + DONE),
        ),
        {"outcome": "succeeded", "response": "Hi", "output_tokens": 5},
    )
    for number in range(50)
)


def _special(name: str, cases: tuple[Case, ...], transports: Sequence[Transport], **spec: object) -> list[Run]:
    return [Run(f"{name}.{transport}", cases, "openai", "m", transport, spec=dict(spec)) for transport in transports]


def _adapted(run: Run) -> Run:
    match run.name.split(".")[0]:
        case "cache":
            return replace(run, spec={"warmup": 1, "repetitions": 5, "concurrency": 1})
        case "kept":
            return replace(run, spec={"concurrency": 1})
        case "other-model":
            first = f"one-model.openai.old.{run.transport}"
            return replace(run, endpoint=first, after=first)
    return run


RUNS = [
    *map(_adapted, runs_of(CASES)),
    *_special(
        "hanging",
        HANGING,
        ("auto", "sdk"),
        concurrency=16,
        timeouts={"connect_s": 60, "ttft_s": TTFT_S, "idle_s": 60, "total_s": 60},
    ),
    *_special("halved", HALVED, ("auto", "sdk"), concurrency=50),
    *_special("queued", QUEUED, ("auto",), concurrency=1),
]
RUNS_BY_NAME = {run.name: run for run in RUNS}
