"""Applies the rules of `--fail-if` to a benchmark of a server, and writes what a CI reads. `run` and `gate` use it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cli.exits import CliError, usage
from cli.gate.judge import Reference, Run, judge
from cli.gate.junit import junit_xml
from cli.gate.parse import RuleError, parse
from cli.gate.report import PinnedBaseline, Report
from cli.gate.rule import Rule
from cli.gate.share import Group, failures_by_prompt, goods_by_prompt
from cli.gate.summary import markdown
from cli.options.baseline_name import checked_name
from cli.server.answers import Json, Unreachable
from cli.server.client import Client

# What a baseline means if no rule names it.
USUAL_RULES = ("ttft_ms.p50 > baseline + 10%", "latency_ms.p50 > baseline + 10%", "error_rate > baseline")


@dataclass(frozen=True, slots=True)
class Gate:
    """What the options ask for. `baseline`: as it was given."""

    rules: Sequence[Rule]
    baseline: str | None
    junit: Path | None
    summary: Path | None
    strict: bool

    def pinned(self, client: Client) -> PinnedBaseline | None:
        """The benchmark that the baseline stands for now. Raises CliError if there is none."""
        if self.baseline is None:
            return None
        if not self.baseline.isdecimal():
            return PinnedBaseline(client.baseline(checked_name(self.baseline))["benchmark_id"], self.baseline)
        return PinnedBaseline(client.benchmark(int(self.baseline), "none")["id"])

    def judged(self, client: Client, benchmark: Json, pinned: PinnedBaseline | None, url: str | None) -> Report:
        """The verdicts about a benchmark that has ended. `url`: of a server that stays, for links."""
        reference = None
        if pinned is not None:
            base = client.benchmark(pinned.benchmark_id, "none")
            comparison = _compared(client, pinned.benchmark_id, benchmark["id"])
            reference = Reference(_run(client, base), comparison)
        run = _run(client, benchmark)
        return Report(
            benchmark=benchmark,
            verdicts=[judge(rule, run, reference) for rule in self.rules],
            strict=self.strict,
            baseline=pinned,
            comparison=None if reference is None else reference.comparison,
            url=url,
        )

    def write(self, report: Report) -> None:
        """Raises CliError if a file cannot be written."""
        try:
            if self.junit is not None:
                self.junit.write_bytes(junit_xml(report))
            if self.summary is not None:
                with self.summary.open("a", encoding="utf-8") as stream:
                    stream.write(markdown(report))
        except OSError as exc:
            raise usage(f"cannot write {exc.filename}: {exc.strerror}") from exc


def gate_of(
    fail_if: Sequence[str], baseline: str | None, junit: Path | None, summary: Path | None, *, strict: bool
) -> Gate | None:
    """The gate that the options ask for; None if they ask for none. Raises CliError for what cannot work."""
    if not fail_if and baseline is None and junit is None and summary is None:
        if strict:
            raise usage("--strict needs a rule: --fail-if, or --baseline")
        return None
    rules = [_parsed(text) for text in fail_if]
    relative = next((rule for rule in rules if rule.needs_baseline), None)
    if baseline is None and relative is not None:
        raise usage(f"--fail-if '{relative.text}' needs --baseline ID or NAME")
    if baseline is not None and relative is None:
        rules += [parse(text) for text in USUAL_RULES]
    for option, path in (("--junit", junit), ("--summary", summary)):
        # Now, and not after a run of an hour.
        if path is not None and (path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK)):
            raise usage(f"{option}: cannot write {path}")
    return Gate(rules, baseline, junit, summary, strict)


def _parsed(text: str) -> Rule:
    try:
        return parse(text)
    except RuleError as exc:
        raise usage(f"--fail-if: {exc.message}", exc.picture) from exc


def _compared(client: Client, base: int, new: int) -> Json:
    """The answer of `GET /compare`; without a metric if the server refuses, because nothing succeeded for example."""
    try:
        return client.comparison([base, new])
    except Unreachable:
        raise
    except CliError as exc:
        return {"withheld": [exc.message, *exc.details], "notes": [], "metrics": []}


def _run(client: Client, benchmark: Json) -> Run:
    @cache
    def groups() -> Sequence[Group]:
        # Of a long run this takes a while. It is asked for only if prompts were repeated and requests differ.
        return failures_by_prompt(client.results(benchmark["id"]))

    @cache
    def goods() -> Sequence[Group]:
        return goods_by_prompt(client.results(benchmark["id"]), benchmark["summary"]["slo"]["bounds"])

    return Run(benchmark["id"], benchmark["summary"], groups, goods)
