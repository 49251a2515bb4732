"""Writes verdicts as JUnit XML, which CI servers read: one test case for the run, and one for each rule."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from cli.gate.judge import Outcome
from cli.gate.report import Report
from cli.terminal.output import clean
from shared.text import REPLACEMENT

SUITE = "llmbench"
# What XML 1.0 cannot contain.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> bytes:
    """Fits the schemas of Apache Ant's JUnit task and of Jenkins."""
    cases: list[tuple[str, Outcome, str]] = [
        ("the run", "failed" if report.run_problem else "passed", report.run_problem)
    ]
    for verdict in report.verdicts:
        outcome = verdict.outcome
        if outcome == "undecided" and report.strict:
            outcome = "failed"
        cases.append((verdict.rule.text, outcome, verdict.reason))
    benchmark = report.benchmark
    seconds = (benchmark["summary"] or {}).get("duration_s") or 0
    # Its element has no attributes in the schema of Ant.
    root = ET.Element("testsuites")
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_text(f"{SUITE}: {benchmark['name']}"),
        tests=str(len(cases)),
        failures=str(sum(outcome == "failed" for _, outcome, _ in cases)),
        errors="0",
        skipped=str(sum(outcome == "undecided" for _, outcome, _ in cases)),
        time=f"{seconds:.3f}",
        timestamp=_instant(benchmark["completed_at"]),
        hostname="localhost",
        id="0",
        package=SUITE,
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _facts(report):
        ET.SubElement(properties, "property", name=name, value=_text(value))
    for name, outcome, reason in cases:
        case = ET.SubElement(suite, "testcase", name=_text(name), classname=f"{SUITE}.gate", time="0")
        if outcome == "failed":
            failure = ET.SubElement(case, "failure", message=_text(reason), type="failed")
            failure.text = _text(reason)
        elif outcome == "undecided":
            ET.SubElement(case, "skipped", message=_text(f"undecided: {reason}"))
    passed = [_text(f"{name}: {reason}") for name, outcome, reason in cases if outcome == "passed" and reason]
    ET.SubElement(suite, "system-out").text = "\n".join(passed)
    ET.SubElement(suite, "system-err").text = ""
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _facts(report: Report) -> list[tuple[str, str]]:
    benchmark = report.benchmark
    facts = [(name, str(benchmark[name])) for name in ("id", "name", "model", "provider", "status")]
    if report.baseline is not None:
        facts.append(("baseline", report.baseline.shown))
    if report.page is not None:
        facts.append(("page", report.page))
    return facts


def _text(value: str) -> str:
    """On one line, without characters that reorder what is shown."""
    return _NO_XML.sub(REPLACEMENT, clean(value))


def _instant(value: str | None) -> str:
    """UTC without its zone, as the schemas want it."""
    at = datetime.fromisoformat(value) if value else datetime.fromtimestamp(0, UTC)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
