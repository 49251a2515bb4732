"""Verdicts as JUnit XML."""

from xml.etree import ElementTree as ET

import pytest

from cli.gate.junit import junit_xml
from cli.gate.report import Report
from tests.cli.gate.reports import FAILED, HOSTILE, PASSED, UNDECIDED, report

# The schema of Apache Ant's JUnit task (windyroad/JUnit-Schema), which is the narrowest: an element's attributes, those
# that it must have, and its children in their order. `*`: any number.
SCHEMA: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (set(), set(), ["testsuite*"]),
    "testsuite": (
        {"skipped"},
        {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id"},
        ["properties", "testcase*", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property*"]),
    "property": (set(), {"name", "value"}, []),
    "testcase": (set(), {"name", "classname", "time"}, ["skipped|failure|error"]),
    "failure": ({"message"}, {"type"}, []),
    "skipped": ({"message"}, set(), []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}


def suite(found: Report) -> ET.Element:
    root = ET.fromstring(junit_xml(found))
    assert root.tag == "testsuites"
    (only,) = root
    return only


def check(element: ET.Element) -> None:
    optional, needed, children = SCHEMA[element.tag]
    assert needed <= set(element.attrib) <= needed | optional, element.tag
    names = [child.tag for child in element]
    for pattern in children:
        wanted = pattern.rstrip("*").split("|")
        while names and names[0] in wanted:
            names.pop(0)
            if not pattern.endswith("*"):
                break
        else:
            assert pattern.endswith("*") or "|" in pattern, (element.tag, pattern)
    assert names == [], element.tag
    for child in element:
        check(child)


@pytest.mark.parametrize("rules", [(), (PASSED,), (FAILED, UNDECIDED, PASSED)])
def test_it_fits_the_schema(rules: tuple[str, ...]) -> None:
    check(ET.fromstring(junit_xml(report(*rules, with_baseline=True))))


def test_each_rule_is_a_test_case_and_an_undecided_one_is_skipped() -> None:
    found = suite(report(FAILED, UNDECIDED, PASSED))
    assert {name: found.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "4",
        "failures": "1",
        "skipped": "1",
        "errors": "0",
    }
    run, failed, undecided, passed = found.findall("testcase")
    assert [case.get("name") for case in (run, failed)] == ["the run", "ttft_ms.p50 > 100 ms"]
    assert (list(run), list(passed)) == ([], [])
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("message") == failure.text
    assert str(failure.text).startswith("120.0 ms is over 100.0 ms, and so is")
    skipped = undecided.find("skipped")
    assert skipped is not None
    assert str(skipped.get("message")).startswith("undecided: 120.0 ms is over 115.0 ms, but")


def test_strict_makes_a_failure_of_what_is_undecided() -> None:
    found = suite(report(UNDECIDED, strict=True))
    assert (found.get("failures"), found.get("skipped")) == ("1", "0")
    assert found.find("testcase/failure") is not None


def test_a_run_that_failed_is_a_failure_of_its_own() -> None:
    found = suite(report(PASSED, status="cancelled"))
    run, _ = found.findall("testcase")
    assert run.find("failure").get("message") == "the benchmark was cancelled"  # type: ignore[union-attr]


def test_hostile_texts_stay_texts() -> None:
    """A control character would make the whole file unreadable; XML has no way to write it."""
    found = suite(report(FAILED, name=HOSTILE, model=HOSTILE, status="failed", error={"message": HOSTILE}))
    check(found)
    readable = HOSTILE.translate({0x1B: 0xFFFD, 0x00: 0xFFFD, 0x202E: 0xFFFD, 0x0A: 0x20})
    (name,) = (item.get("value") for item in found.iter("property") if item.get("name") == "name")
    assert name == readable
    assert found.find("testcase/failure").text == f"the benchmark failed: {readable}"  # type: ignore[union-attr]


def test_the_time_is_utc_without_a_zone() -> None:
    assert suite(report(completed_at="2025-01-15T12:30:01.5+02:00")).get("timestamp") == "2025-01-15T10:30:01"
