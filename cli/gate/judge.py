"""Applies rules to a benchmark. A rule fails only if the number is beyond its bound, and so is its whole interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cli.gate.change import Change, change_of, why_withheld
from cli.gate.measure import GRADES
from cli.gate.reading import Reading, Summary, read
from cli.gate.rule import Relative, Rule
from cli.gate.share import Group
from cli.gate.words import between, shown

Outcome = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule makes of a benchmark.

    `bound`: the bound as a number of this run; of a rule relative to the baseline, what the baseline makes of it. None:
    it is not known. `reason`: the verdict in one sentence.
    """

    rule: Rule
    outcome: Outcome
    reason: str
    reading: Reading
    bound: float | str | None
    baseline: Reading | None = None
    change: Change | None = None

    @property
    def left_out(self) -> str:
        """What its numbers do not contain because it is unknown, in words; empty: nothing."""
        base = "" if self.baseline is None else self.baseline.left_out
        return "; ".join(filter(None, (self.reading.left_out, base and f"of the baseline, {base}")))


@dataclass(frozen=True, slots=True)
class Run:
    """A benchmark as rules see it. `groups`, `goods`: see `cli.gate.reading.read`."""

    benchmark_id: int
    summary: Summary | None
    groups: Callable[[], Sequence[Group]] = tuple
    goods: Callable[[], Sequence[Group]] = tuple


@dataclass(frozen=True, slots=True)
class Reference:
    """The benchmark of the baseline, and its comparison with the run: the document of `GET /compare`."""

    run: Run
    comparison: Mapping[str, Any]


def judge(rule: Rule, run: Run, reference: Reference | None = None) -> Verdict:
    """`reference`: needed for rules relative to a baseline."""
    verdict = _judged(rule, run, reference)
    if not verdict.left_out:
        return verdict
    unsure = "not for certain: " if verdict.outcome == "passed" else ""
    return replace(verdict, reason=f"{verdict.reason}; {unsure}{verdict.left_out}")


def _judged(rule: Rule, run: Run, reference: Reference | None) -> Verdict:
    """By what is known."""
    reading = read(rule.measure, rule.statistic, run.summary, run.groups, run.goods)
    if isinstance(rule.bound, Relative):
        if reference is None:
            raise ValueError("a rule relative to a baseline needs one")
        return _against(rule, rule.bound, run, reading, reference)
    if reading.value is None:
        return Verdict(rule, "failed", f"there is no value: {reading.reason}", reading, rule.bound)
    if isinstance(reading.value, str) or isinstance(rule.bound, str):
        return _graded(rule, reading)
    outcome, reason = _decide(rule, reading.value, rule.bound, reading)
    return Verdict(rule, outcome, reason, reading, rule.bound)


def _graded(rule: Rule, reading: Reading) -> Verdict:
    """A is the best grade, so `> B` is worse than B."""
    grade, bound = str(reading.value), str(rule.bound)
    broken = rule.is_beyond(GRADES.index(grade), GRADES.index(bound))
    return Verdict(rule, "failed" if broken else "passed", f"the grade is {grade}", reading, bound)


def _decide(rule: Rule, value: float, bound: float, reading: Reading) -> tuple[Outcome, str]:
    unit = rule.measure.unit
    number, limit = shown(value, unit), shown(bound, unit)
    broken = rule.is_beyond(value, bound)
    if reading.by_number:
        said = f"{number} {_side(rule, broken=broken)} {limit}"
        return "failed" if broken else "passed", f"{said}; judged by the number alone: {reading.reason}"
    if reading.interval is None:
        said = f"{number} {_side(rule, broken=broken)} {limit}"
        return ("undecided", f"{said}, but {reading.reason}") if broken else ("passed", said)
    low, high = reading.interval
    said = f"{number} {_side(rule, broken=broken)} {limit}"
    whole = f"its 95% interval, {between((low, high), unit)}"
    near, far = (low, high) if rule.is_upper else (high, low)
    if not broken:
        unsure = f", but not for certain: {whole}, reaches beyond" if rule.is_beyond(far, bound) else ""
        return "passed", f"{said}{unsure}"
    if rule.is_beyond(near, bound):
        return "failed", f"{said}, and so is {whole}"
    return "undecided", f"{said}, but {whole}, holds values that are not: more requests would decide"


def _side(rule: Rule, *, broken: bool) -> str:
    """`is over`: where the number stands."""
    words = {">": ("is over", "is not over"), ">=": ("reaches", "is under")}
    words |= {"<": ("is under", "is not under"), "<=": ("is at or under", "is over")}
    return words[rule.operator][not broken]


def _against(rule: Rule, bound: Relative, run: Run, reading: Reading, reference: Reference) -> Verdict:
    base = read(rule.measure, rule.statistic, reference.run.summary, reference.run.groups, reference.run.goods)
    change = change_of(rule, reference.comparison, run.benchmark_id)
    if change is not None and change.difference is not None and None not in (reading.value, base.value):
        # The numbers whose difference decides, so that the sentence never says otherwise.
        reading, base = _exact(reading, change.value), _exact(base, change.base)
    limit = bound.factor * base.value + bound.plus if isinstance(base.value, float | int) else None

    def verdict(outcome: Outcome, reason: str) -> Verdict:
        return Verdict(rule, outcome, reason, reading, limit, base, change)

    for who, item in (("", reading), ("the baseline has no value: ", base)):
        if item.value is None:
            return verdict("failed", f"{who or 'there is no value: '}{item.reason}")
    withheld = why_withheld(reference.comparison, run.benchmark_id)
    if withheld or (change is not None and change.is_withheld):
        return verdict("undecided", f"the runs are not comparable: {withheld or 'their settings differ'}")
    value = reading.value
    if limit is None or not isinstance(value, float | int):
        raise TypeError("a grade is not compared with a baseline")
    unit = rule.measure.unit
    said = (
        f"{shown(value, unit)} {_side(rule, broken=rule.is_beyond(value, limit))} {shown(limit, unit)} "
        f"(baseline {shown(base.value, unit)})"  # type: ignore[arg-type]
    )
    if change is None or change.difference is None:
        why = f"differences of {rule.name} are not tested"
        if change is not None and change.needed is not None:
            why = f"a test of its difference needs {change.needed:,} values in each run"
        return verdict(*_by_numbers(rule, value, limit, reading, said, why))
    return verdict(*_by_change(rule, bound, base, change, said))


def _exact(reading: Reading, value: float | None) -> Reading:
    return reading if value is None else replace(reading, value=value)


def _by_numbers(rule: Rule, value: float, limit: float, reading: Reading, said: str, why: str) -> tuple[Outcome, str]:
    """There is no interval of the difference; `why` says why."""
    broken = rule.is_beyond(value, limit)
    if reading.by_number:
        return "failed" if broken else "passed", f"{said}; judged by the numbers alone: {reading.reason}"
    if broken:
        return "undecided", f"{said}, but {why}"
    return "passed", said


def _by_change(rule: Rule, bound: Relative, base: Reading, change: Change, said: str) -> tuple[Outcome, str]:
    unit = rule.measure.unit
    if bound.factor != 1 and change.ratio is not None:
        value, interval, limit = change.ratio, change.ratio_interval, bound.factor
        words = "" if interval is None else f"{interval[0] - 1:+.1%} to {interval[1] - 1:+.1%}"
    else:
        # Of a baseline of 0 there is no ratio.
        limit = bound.plus + (bound.factor - 1) * float(base.value or 0)
        value, interval = float(change.difference or 0), change.difference_interval
        words = "" if interval is None else between(interval, unit)
    broken = rule.is_beyond(value, limit)
    more = f": about {change.more_requests:,} more requests would decide" if change.more_requests else ""
    if interval is None:
        return ("undecided", f"{said}, but the difference has no interval{more}") if broken else ("passed", said)
    near, far = interval if rule.is_upper else interval[::-1]
    whole = f"the 95% interval of the difference is {words}"
    if not broken:
        unsure = f", but not for certain: {whole}" if rule.is_beyond(far, limit) else ""
        return "passed", f"{said}{unsure}"
    if rule.is_beyond(near, limit):
        return "failed", f"{said}; {whole}"
    return "undecided", f"{said}, but {whole}{more}"
