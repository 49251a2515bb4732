"""A comparison in a terminal: values, sentences, what withholds a verdict. Names are no commands to the terminal."""

from typing import Any

import numpy as np

from cli.render.comparison import comparison_lines
from shared.comparison.comparison import comparison_of
from shared.comparison.measure import Margins
from tests.shared.comparison.runs import rows, run


def document(*, factor: float = 1.5, **changes: Any) -> dict[str, Any]:
    first, second = (np.random.default_rng(seed).lognormal(5, 0.2, 100) for seed in (1, 2))
    runs = run("A", name="one \x1b[31m"), run("B", **changes)
    return comparison_of(runs, [rows(first, cost_usd=0.001), rows(second * factor, cost_usd=0.001)], Margins())


def text(found: dict[str, Any]) -> str:
    return "\n".join(line.text for line in comparison_lines(found))


def test_values_and_one_sentence_for_each_metric_are_shown() -> None:
    found = document()
    shown = text(found)
    for metric in found["metrics"]:
        known = any(value["value"] is not None for value in metric["values"])
        assert (metric["differences"][0]["sentence"] in shown) is known
    assert "B's P50 TTFT is" in shown
    assert "(worse)" in shown
    assert "(better)" in shown
    assert "$1.00" in shown
    assert "P99" not in shown
    assert "\x1b" not in shown
    assert "ran at different times" not in shown


def test_what_withholds_the_verdict_is_named() -> None:
    shown = text(document(concurrency=7, prompt_set="77", after_s=999))
    assert "load.concurrency: 1, 7" in shown
    assert "no verdict: B: load.concurrency differs: 1 and 7" in shown
    assert "prompts: different" in shown
    assert "no verdict" in shown
    assert "(worse)" not in shown
    assert "ran at different times" in shown
