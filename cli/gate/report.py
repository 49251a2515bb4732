"""The verdicts about one benchmark together: what the build is told, as JSON, JUnit, Markdown and an exit code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from cli.exits import ExitCode
from cli.gate.judge import Outcome, Verdict
from cli.gate.measure import ERROR_RATE
from cli.gate.reading import Reading
from cli.gate.rule import Rule
from shared.benchmark.results.outcome import FAILURES, UNATTEMPTED

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PinnedBaseline:
    """What `--baseline` stands for. `name` None: it was given as an id."""

    benchmark_id: int
    name: str | None = None

    @property
    def shown(self) -> str:
        return f"benchmark {self.benchmark_id}" if self.name is None else f"{self.name} (benchmark {self.benchmark_id})"


@dataclass(frozen=True, slots=True)
class Report:
    """`benchmark`: as the API shows it. `url`: of a server that stays, for links."""

    benchmark: Json
    verdicts: Sequence[Verdict]
    strict: bool = False
    baseline: PinnedBaseline | None = None
    comparison: Json | None = None
    url: str | None = None
    rules: Sequence[Rule] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", [verdict.rule for verdict in self.verdicts])

    @property
    def run_problem(self) -> str:
        """Why the run fails whatever the rules say; empty if it does not.

        A rule about the error rate says how many failed requests are too many. Without one, each is.
        """
        status, summary = self.benchmark["status"], self.benchmark["summary"]
        if status == "cancelled":
            return "the benchmark was cancelled"
        if status != "completed":
            message = (self.benchmark["error"] or {}).get("message")
            return f"the benchmark failed: {message}" if message else f"the benchmark is {status}"
        if summary is None:
            return ""
        if not summary["requests"]["succeeded"]:
            # What its load cut off or dropped did not fail, but shows nothing either.
            return "no request succeeded"
        if any(rule.measure == ERROR_RATE for rule in self.rules):
            return ""
        failed = sum(summary["requests"].get(name, 0) for name in FAILURES)
        attempted = failed + summary["requests"]["succeeded"]
        return f"{failed:,} of {attempted:,} requests failed, and no rule is about error_rate" if failed else ""

    @property
    def outcome(self) -> Outcome:
        """The worst of the run and its rules. Strict: undecided is failed."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        if self.run_problem or "failed" in outcomes or (self.strict and "undecided" in outcomes):
            return "failed"
        return "undecided" if "undecided" in outcomes else "passed"

    @property
    def exit_code(self) -> ExitCode:
        if self.benchmark["status"] == "cancelled":
            return ExitCode.CANCELLED
        if self.outcome == "passed" and self.benchmark.get("stopped") is not None:
            # The rules are about what was sent. That not all of it was must not be lost.
            return ExitCode.BUDGET
        codes = {"passed": ExitCode.OK, "failed": ExitCode.FAILED, "undecided": ExitCode.UNDECIDED}
        return codes[self.outcome]

    @property
    def sentence(self) -> str:
        """`1 of 3 rules failed, 1 is undecided`."""
        if not self.verdicts:
            return self.run_problem or self._success
        count, parts = len(self.verdicts), []
        for outcome, one, many in (("failed", "failed", "failed"), ("undecided", "is undecided", "are undecided")):
            found = sum(verdict.outcome == outcome for verdict in self.verdicts)
            if found:
                parts.append(f"{found} {one if found == 1 else many}")
        rules = "1 rule" if count == 1 else f"{count} rules"
        said = f"{rules}: {', '.join(parts)}" if parts else f"{rules}: all passed"
        return f"{said}; {self.run_problem}" if self.run_problem else said

    @property
    def _success(self) -> str:
        """What there is to say without rules and problems."""
        requests = (self.benchmark["summary"] or {}).get("requests", {})
        others = sum(requests.get(name, 0) for name in UNATTEMPTED)
        return f"no request failed, and {others:,} were cut off or not sent" if others else "every request succeeded"

    @property
    def page(self) -> str | None:
        """URL of the benchmark's page."""
        return None if self.url is None else f"{_address(self.url)}/ui/benchmarks/{self.benchmark['id']}"

    @property
    def comparison_page(self) -> str | None:
        """URL of the page that compares it with the baseline."""
        if self.url is None or self.baseline is None:
            return None
        return f"{_address(self.url)}/ui/compare?ids={self.baseline.benchmark_id},{self.benchmark['id']}"

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        baseline = self.baseline
        return {
            "outcome": self.outcome,
            "strict": self.strict,
            "run_problem": self.run_problem or None,
            "baseline": None if baseline is None else {"name": baseline.name, "benchmark_id": baseline.benchmark_id},
            "rules": [_document(verdict) for verdict in self.verdicts],
        }


def _document(verdict: Verdict) -> dict[str, Any]:
    rule, change = verdict.rule, verdict.change
    return {
        "rule": rule.text,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "metric": rule.measure.name,
        "statistic": rule.statistic,
        "unit": rule.measure.unit,
        "bound": verdict.bound,
        **_reading(verdict.reading),
        "baseline": None if verdict.baseline is None else _reading(verdict.baseline),
        "change": None
        if change is None
        else {
            "difference": change.difference,
            "difference_interval_95": change.difference_interval,
            "ratio": change.ratio,
            "ratio_interval_95": change.ratio_interval,
        },
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {"value": reading.value, "interval_95": reading.interval, "n": reading.n}


def _address(url: str) -> str:
    """The URL without what could end a link early."""
    return quote(url, safe=":/?#[]@!$&'*+,;=%-._~")
