"""Reads rules such as `ttft_ms.p95 > 800`. An error points at its place and proposes what was meant.

rule   = metric ["." statistic] (">" | ">=" | "<" | "<=") bound
bound  = number [unit] | grade | "baseline" [("+" | "-") number [unit] | "*" number]
unit   = "ms" | "s" | "%" | "$"
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import cast

from cli.gate.measure import GRADES, MEASURES, Measure, Unit
from cli.gate.rule import Operator, Relative, Rule

MAX_CHARS = 200
BASELINE = "baseline"

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<word>[A-Za-z_]\w*(?:\.\w+)*)"
    r"|(?P<sign>>=|<=|[><+*%$-])|(?P<other>\S))"
)
# What a number in this unit is worth in the unit of the measure.
_ONE = Decimal(1)
_WORTH: dict[Unit, dict[str, Decimal]] = {
    "ms": {"": _ONE, "ms": _ONE, "s": Decimal(1_000)},
    "ms/token": {"": _ONE, "ms": _ONE, "s": Decimal(1_000)},
    "s": {"": _ONE, "s": _ONE, "ms": Decimal("0.001")},
    "share": {"": _ONE, "%": Decimal("0.01")},
    "USD": {"": _ONE, "$": _ONE},
    "tokens/s": {"": _ONE},
    "requests/s": {"": _ONE},
    "grade": {},
}
# How a number in the unit of the measure is written.
_SUFFIX: dict[Unit, str] = {"ms": " ms", "ms/token": " ms", "s": " s", "share": ""}


class RuleError(ValueError):
    """A rule that cannot be read. `begin` and `end`: the place in `text` that is wrong."""

    def __init__(self, message: str, text: str, begin: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.begin = begin
        self.end = max(end, begin + 1)

    @property
    def picture(self) -> tuple[str, str]:
        """The rule, and a line below it that points at the place."""
        return self.text, " " * self.begin + "^" * (self.end - self.begin)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    begin: int
    end: int


def parse(text: str) -> Rule:
    """The rule. Raises RuleError."""
    return _Parser(text).rule()


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARS:
            raise RuleError(f"a rule has at most {MAX_CHARS} characters", text[:MAX_CHARS], 0, MAX_CHARS)
        # A picture below a rule with other white space would point at the wrong place.
        self._text = re.sub(r"\s", " ", text)
        self._tokens = list(self._read())
        self._next = 0

    def _read(self) -> list[_Token]:
        found = []
        for match in _TOKEN.finditer(self._text):
            kind = str(match.lastgroup)
            found.append(_Token(kind, match[kind], match.start(kind), match.end(kind)))
        return found

    def rule(self) -> Rule:
        measure, statistic = self._measure()
        name = measure.name if statistic is None else f"{measure.name}.{statistic}"
        operator = self._operator()
        bound, shown = self._bound(measure)
        rest = self._take()
        if rest is not None:
            raise self._wrong(rest, "the rule ends before this")
        return Rule(f"{name} {operator} {shown}", measure, statistic, operator, bound)

    def _measure(self) -> tuple[Measure, str | None]:
        token = self._take()
        if token is None or token.kind != "word":
            raise self._wrong(token, "a rule begins with a metric, as in ttft_ms.p95 > 800")
        name, _, statistic = token.text.partition(".")
        measure = MEASURES.get(name)
        if measure is None:
            raise self._wrong(token, f"there is no metric {name!r}{_meant(token.text)}")
        if not measure.statistics:
            if statistic:
                raise self._wrong(token, f"{name} is a single number: leave out .{statistic}", len(name))
            return measure, None
        if not statistic:
            raise self._wrong(token, f"{name} has many values: name a statistic, as in {name}.p95")
        if statistic not in measure.statistics:
            known = ", ".join(measure.statistics)
            raise self._wrong(token, f"{name} has no statistic {statistic!r}; it has {known}", len(name) + 1)
        return measure, statistic

    def _operator(self) -> Operator:
        token = self._take()
        if token is None or token.text not in (">", ">=", "<", "<="):
            raise self._wrong(token, "here must be one of >, >=, <, <=")
        return cast(Operator, token.text)

    def _bound(self, measure: Measure) -> tuple[float | str | Relative, str]:
        token = self._take()
        if token is not None and token.text == BASELINE:
            return self._relative(token, measure)
        if measure.unit == "grade":
            if token is None or token.text not in GRADES:
                raise self._wrong(token, f"here must be a grade: one of {', '.join(GRADES)}")
            return token.text, token.text
        return self._number(token, measure.unit)

    def _relative(self, baseline: _Token, measure: Measure) -> tuple[Relative, str]:
        if measure.unit == "grade":
            raise self._wrong(baseline, "a grade is not compared with a baseline: name a grade")
        sign = self._take()
        if sign is None:
            return Relative(), BASELINE
        if sign.text not in ("+", "-", "*"):
            raise self._wrong(sign, "here must be one of +, -, *, or the end of the rule")
        token = self._take()
        if sign.text == "*":
            value = self._plain(token)
            return Relative(factor=value), f"{BASELINE} * {_plainly(value)}"
        after = self._peek()
        if after is not None and after.text == "%":
            value = self._plain(token)
            self._take()
            if measure.unit == "share":
                points, part = _plainly(value / 100), _plainly(1 + value / 100)
                raise self._wrong(after, f"% could mean points or a part of the baseline: write {points}, or * {part}")
            factor = 1 + value / 100 if sign.text == "+" else 1 - value / 100
            return Relative(factor=factor), f"{BASELINE} {sign.text} {_plainly(value)}%"
        plus, shown = self._number(token, measure.unit)
        return Relative(plus=plus if sign.text == "+" else -plus), f"{BASELINE} {sign.text} {shown}"

    def _plain(self, token: _Token | None) -> float:
        if token is None or token.kind != "number":
            raise self._wrong(token, "here must be a number")
        value = float(token.text)
        if not math.isfinite(value):
            raise self._wrong(token, "this number is too large")
        return value

    def _number(self, token: _Token | None, unit: Unit) -> tuple[float, str]:
        """A number with its unit, in the unit of the measure; and how it is written."""
        dollar = token is not None and token.text == "$"
        if token is None or not (dollar or token.kind == "number"):
            raise self._wrong(token, f"here must be a number, or {BASELINE}")
        value = self._plain(self._take() if dollar else token)
        after = None if dollar else self._peek()
        suffix = "$" if dollar else ""
        if after is not None and (after.kind == "word" or after.text in "%$"):
            suffix = after.text
            self._take()
        worth = _WORTH[unit].get(suffix)
        if worth is None:
            units = [known for known in _WORTH[unit] if known]
            known = f"it has {' or '.join(units)}" if units else "it has none"
            raise self._wrong(after or token, f"{suffix!r} is not a unit of this metric; {known}")
        bound = float(Decimal(repr(value)) * worth)
        if unit == "share" and bound > 1:
            raise self._wrong(token, f"a share is at most 1: write {_plainly(value)}% or {_plainly(value / 100)}")
        if suffix == "%":
            return bound, f"{_plainly(value)}%"
        if unit == "USD":
            return bound, f"${_plainly(value)}"
        return bound, f"{_plainly(bound)}{_SUFFIX.get(unit, '')}"

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> _Token | None:
        token = self._peek()
        self._next += token is not None
        return token

    def _wrong(self, token: _Token | None, message: str, skip: int = 0) -> RuleError:
        """An error at the token, without its first `skip` characters; at the end of the text if there is none."""
        if token is None:
            end = len(self._text.rstrip())
            return RuleError(message, self._text, end + 1, end + 2)
        return RuleError(message, self._text, token.begin + skip, token.end)


def _plainly(value: float) -> str:
    return f"{value:.15g}"


def _meant(name: str) -> str:
    """`; did you mean ttft_ms.p95?` if a name is near."""
    names = [name for measure in MEASURES.values() for name in (measure.name, *_full_names(measure))]
    near = get_close_matches(name, names, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(MEASURES)}"


def _full_names(measure: Measure) -> list[str]:
    return [f"{measure.name}.{statistic}" for statistic in measure.statistics]
