"""What a reader must know before believing a comparison, in sentences. `comparison.py` collects them."""

from collections.abc import Iterator, Sequence

from shared.benchmark.results.mean_tokens import mean_tokens
from shared.comparison.compared import Compared
from shared.comparison.measure import Difference
from shared.comparison.run_rows import RunRows

# Two runs count as measured at the same time if so much of the shorter one lies within the other.
_SAME_TIME = 0.8
# Shares of input tokens from a cache that differ by more change what a TTFT is.
_CACHE = 0.05
# Answers that differ by more in length do not take the same time.
_LENGTH = 0.1


def at_the_same_time(first: Compared, second: Compared) -> bool:
    if None in (first.started_at, first.completed_at, second.started_at, second.completed_at):
        return False
    spans = [(run.started_at, run.completed_at) for run in (first, second)]
    lengths = [(end - start).total_seconds() for start, end in spans if start is not None and end is not None]
    ends = [end for _, end in spans if end is not None]
    starts = [start for start, _ in spans if start is not None]
    overlap = (min(ends) - max(starts)).total_seconds()
    return overlap > 0 and overlap >= _SAME_TIME * min(lengths)


def notes_of(runs: Sequence[Compared], rows: Sequence[RunRows], errors: Sequence[Difference]) -> list[str]:
    """`errors`: the differences of the error shares to the first run, of the others in order."""
    return list(dict.fromkeys(_notes(runs, rows, errors)))


def _notes(runs: Sequence[Compared], rows: Sequence[RunRows], errors: Sequence[Difference]) -> Iterator[str]:
    reference = runs[0]
    later = [run.label for run in runs[1:] if not at_the_same_time(reference, run)]
    if later:
        yield (
            f"{_listed([reference.label, *later])} ran at different times, which is not a fair experiment: a provider "
            "that is slower in the evening looks like a difference. Under slow drift, A then B gives up to 44 % false "
            "alarms. Measure in turns (A B A B), and compare A with itself too."
        )
    if len(later) < len(runs) - 1:
        yield "Runs at the same time share one network and one server: each may have slowed the other."
    for run, difference in zip(runs[1:], errors, strict=True):
        interval = difference.interval_95
        if interval is not None and (interval[0] > 0 or interval[1] < 0):
            yield (
                f"Percentiles are over requests that succeeded. {run.label} and {reference.label} failed at different "
                f"rates ({_percent(difference.other.value)} and {_percent(difference.reference.value)}): the requests "
                "that failed may have been the slow ones."
            )
    yield from _of_caches(runs)
    yield from _of_lengths(runs)
    yield from _of_each(runs, rows)


def _of_caches(runs: Sequence[Compared]) -> Iterator[str]:
    shares = [run.summary.get("cached_share") for run in runs]
    known = [share for share in shares if share is not None]
    if len(known) > 1 and max(known) - min(known) > _CACHE:
        written = ", ".join(f"{run.label} {_percent(share)}" for run, share in zip(runs, shares, strict=True))
        yield f"They read different shares of their input from a prompt cache ({written}): TTFT depends on it."


def _of_lengths(runs: Sequence[Compared]) -> Iterator[str]:
    means = {run.label: mean_tokens(run.summary, "output_tokens") for run in runs}
    lengths = {label: length for label, length in means.items() if length}
    if len(lengths) > 1 and max(lengths.values()) > (1 + _LENGTH) * min(lengths.values()):
        written = ", ".join(f"{label} {length:,.0f}" for label, length in lengths.items())
        yield (
            f"Their answers differ in length (tokens each: {written}), so latency and cost compare answers, not speed. "
            "TPOT does not depend on it."
        )


def _of_each(runs: Sequence[Compared], rows: Sequence[RunRows]) -> Iterator[str]:
    for run, item in zip(runs, rows, strict=True):
        if not run.has_texts:
            yield (
                f"Retention has deleted the texts of {run.label}, and with them its workload, extra body and stop "
                "words: whether these are the same is not known."
            )
        if item.share < 1:
            yield f"{run.label} is very long: {item.count:,} of its requests were read, evenly over the run."
        if run.status != "completed":
            yield f"{run.label} {run.status if run.status == 'failed' else 'was ' + run.status}: it is not whole."
        if run.summary.get("interrupted"):
            yield f"{run.label} was interrupted: another worker went on with it."
        if run.spec.load is not None and (run.spec.load.sweep or run.spec.load.stages or run.spec.load.search):
            yield f"{run.label} has several stages. They are put together here; its load curve tells them apart."
        unpriced = (run.summary.get("cost") or {}).get("unpriced_requests")
        if unpriced:
            yield (
                f"{unpriced:,} requests of {run.label} have no known cost, and the cost leaves them out: that of the "
                "others may be a different one."
            )
    if any(run.grade == "D" for run in runs):
        yield "Grade D: the measuring itself may have distorted the numbers."


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share * 100:.3g} %"


def _listed(labels: Sequence[str]) -> str:
    return " and ".join([", ".join(labels[:-1]), labels[-1]]) if len(labels) > 1 else labels[0]
