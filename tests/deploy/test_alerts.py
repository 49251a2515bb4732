"""The alert rules have the shape that Prometheus reads. Where there is a `promtool`, `make check` asks it too."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy/monitoring/alerts.yaml"
DURATION = re.compile(r"([0-9]+(ms|s|m|h|d|w|y))+")
FUNCTIONS = {"absent", "histogram_quantile", "increase", "max", "min", "rate", "sum"}
KEYWORDS = {"by", "without", "on", "and", "or", "unless"}
Json = dict[str, Any]


def rules() -> list[Json]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    assert set(group) == {"name", "rules"}
    return list(group["rules"])


def faults(rule: Json) -> list[str]:
    """What Prometheus would refuse, as far as it can be told without it."""
    found = [f"unknown key {key}" for key in set(rule) - {"alert", "expr", "for", "labels", "annotations"}]
    found += [f"no {key}" for key in ("alert", "expr", "labels", "annotations") if not rule.get(key)]
    for key in ("labels", "annotations"):
        found += [
            f"{key}: {name!r} is no name with a text"
            for name, value in rule.get(key, {}).items()
            if not re.fullmatch(r"[a-zA-Z_]\w*", str(name)) or not isinstance(value, str)
        ]
    if "for" in rule and not DURATION.fullmatch(rule["for"]):
        found.append(f"for: {rule['for']} is no duration")
    return [*found, *expression_faults(rule.get("expr", ""))]


def expression_faults(expression: str) -> list[str]:
    bare = re.sub(r'"[^"]*"', '""', expression)
    found = []
    if bare.count('"') % 2:
        found.append("expr: a quote is not closed")
    expected: list[str] = []
    for character in bare:
        if character in "([{":
            expected.append(")]}"["([{".index(character)])
        elif character in ")]}" and (not expected or expected.pop() != character):
            return [*found, "expr: a bracket is not opened"]
    if expected:
        found.append("expr: a bracket is not closed")
    called = set(re.findall(r"([a-z_]+)\s*\(", bare)) - KEYWORDS
    found += [f"expr: {name} is no function that we use" for name in sorted(called - FUNCTIONS)]
    found += [f"expr: [{text}] is no range" for text in re.findall(r"\[(.*?)\]", bare) if not DURATION.fullmatch(text)]
    # Counters are only read through rate() or increase().
    found += [f"expr: {name} is a counter" for name in re.findall(r"(?<!rate\()(?<!increase\()\b\w+_total\b", bare)]
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_is_one_that_prometheus_takes(rule: Json) -> None:
    assert faults(rule) == []
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        # As it once stood here: YAML takes what follows the comma for a second annotation.
        ("annotations: {summary: They die, or wait.}", "annotations: 'or wait.' is no name with a text"),
        ("for: soon", "for: soon is no duration"),
        ("expr: sum(rate(x_total[5m])", "expr: a bracket is not closed"),
        ("expr: sum(rate(x_total[5 minutes]))", "expr: [5 minutes] is no range"),
        ("expr: x_total > 2", "expr: x_total is a counter"),
        ("expr: increse(x_total[5m]) > 2", "expr: increse is no function that we use"),
        ("severity: page", "unknown key severity"),
    ],
)
def test_a_fault_would_be_found(text: str, fault: str) -> None:
    assert fault in faults({**rules()[0], **yaml.safe_load(text)})
