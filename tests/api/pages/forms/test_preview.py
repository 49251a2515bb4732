"""An estimate in words, before the start."""

from typing import Any

import pytest

from api.pages.forms.preview import commands, figures

NOTHING: dict[str, Any] = dict.fromkeys(
    ("requests", "warmup_requests", "input_tokens", "output_tokens", "duration_s", "cost_usd")
)


def words(title: str, **known: Any) -> tuple[str, str]:
    (found,) = [figure for figure in figures({**NOTHING, **known}) if figure.title == title]
    return found.value, found.why


@pytest.mark.parametrize(
    ("title", "known", "value"),
    [
        ("Sends", {"requests": 1}, "1 request"),
        ("Sends", {"requests": 1_012, "warmup_requests": 12}, "1,012 requests, 12 of them as warm-up"),
        ("Takes", {"duration_s": {"low": 59.8, "high": 660.0}}, "59.8 s to 11.0 min"),
        ("Takes", {"duration_s": {"low": None, "high": 60.0}}, "at most 60.0 s"),
        ("Takes", {"duration_s": {"low": 60.0, "high": None}}, "at least 60.0 s"),
        ("Costs", {"cost_usd": {"low": 0.0012, "high": 0.0972}}, "$0.00120 to $0.0972"),
        ("Costs", {"cost_usd": {"low": 0.0, "high": 0.0}}, "$0.00"),
        ("Input", {"input_tokens": 4_800}, "about 4,800 tokens"),
        ("Output", {"output_tokens": {"low": 0, "high": 76_800}}, "at most 76,800 tokens"),
        ("Input", {"input_tokens": 1}, "about 1 token"),
        ("Output", {"output_tokens": {"low": 9, "high": 9}}, "9 tokens"),
    ],
)
def test_what_is_known_in_words(title: str, known: dict[str, Any], value: str) -> None:
    assert words(title, **known)[0] == value


@pytest.mark.parametrize("title", ["Sends", "Takes", "Costs", "Input", "Output"])
def test_what_is_not_known_is_a_dash_with_its_reason(title: str) -> None:
    value, why = words(title)
    assert value == "–"
    assert why


def test_a_longest_time_says_what_it_holds_for() -> None:
    assert words("Takes", duration_s={"low": None, "high": 60.0})[1] == "if each request takes until its timeouts"


def test_commands_say_how_much_they_leave_out() -> None:
    made = commands({"model": "sim", "prompts": ["a"] * 25}, "http://localhost")
    assert made.left_out == 5
    assert made.yaml.count("- a") == 20


def test_the_worst_case_is_shown_if_a_budget_counts() -> None:
    caps = [
        {"budget": "benchmark", "cap_usd": 2.5, "left_usd": 2.5},
        {"budget": "owner:acme:month:2026-11", "cap_usd": 50.0, "left_usd": 37.0},
    ]
    left = "its own budget has $2.50; the budget of owner acme for 2026-11 has $37.00"
    assert words("At most", worst_case_usd=0.43, budgets=caps) == ("$0.430", left)
    assert "At most" not in [figure.title for figure in figures({**NOTHING, "worst_case_usd": 0.43, "budgets": []})]
