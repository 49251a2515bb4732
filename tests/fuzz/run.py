"""Measures damaged answers one after the other, judges their records, and collects those of every shape."""

import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import of_record
from shared.benchmark.results.record import ResultRecord
from tests.fuzz.cuts import read_otherwise
from tests.fuzz.oracle import problems
from tests.fuzz.sent import Sent, measure

# Processor time after which an answer is said to hang. The largest ones take a fifth of a second.
HANGS_AFTER_S = 10
# Records that are kept, the first of each shape.
MOST_SHAPES = 20_000


class Hangs(BaseException):
    """An answer takes too long. No handler of `Exception` catches it."""


@dataclass
class Findings:
    """`shapes`: a record of each shape. `found`: the first answer with each kind of problem, and its words."""

    count: int = 0
    aggregate: RunAggregate = field(default_factory=lambda: RunAggregate(1))
    outcomes: dict[str, int] = field(default_factory=dict)
    shapes: dict[Any, ResultRecord] = field(default_factory=dict)
    found: dict[str, tuple[Sent, str]] = field(default_factory=dict)

    def add(self, sent: Sent) -> None:
        self.count += 1
        record, found = judge(sent)
        for words in found:
            self.found.setdefault(kind_of(words), (sent, words))
        if record is not None:
            self.outcomes[record.outcome] = self.outcomes.get(record.outcome, 0) + 1
            if len(self.shapes) < MOST_SHAPES:
                self.shapes.setdefault(shape_of(record), record)
            self.aggregate.add(of_record(record))


def judge(sent: Sent) -> tuple[ResultRecord | None, list[str]]:
    """The record of an answer, and what is wrong with it. An exception is a problem."""
    try:
        with _limited(HANGS_AFTER_S):
            record = measure(sent)
            found = [*problems(sent, record), *read_otherwise(sent)]
    except Hangs:
        return None, [f"hangs: {traceback.format_exc(limit=-3)}"]
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is a finding
        place = traceback.extract_tb(exc.__traceback__)[-1]
        return None, [f"{type(exc).__name__} in {place.name}, line {place.lineno}: {traceback.format_exc(limit=-4)}"]
    return record, found


def kind_of(words: str) -> str:
    return words.partition(":")[0]


def run(answers: Iterable[Sent], progress: Callable[[Findings], None] = lambda _: None) -> Findings:
    findings = Findings()
    for sent in answers:
        findings.add(sent)
        if findings.count % 10_000 == 0:
            progress(findings)
    return findings


def shape_of(record: ResultRecord) -> tuple[Any, ...]:
    """Outcome, error, flags, and which columns are null."""
    error = record.error
    nulls = tuple(getattr(record, item.name) is None for item in fields(record))
    counts = tuple(getattr(record.usage, item.name) is None for item in fields(record.usage))
    metrics = tuple(value is None for value in record.metrics.values())
    words = (error.kind, error.phase, error.provider_code is None) if error is not None else ()
    return record.outcome, words, tuple(record.flags), nulls, counts, metrics


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises Hangs in the main thread after so much processor time."""

    def stop(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
