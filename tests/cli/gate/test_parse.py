"""Rules as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.gate.measure import DISTRIBUTIONS, MEASURES
from cli.gate.parse import RuleError, parse
from cli.gate.rule import Relative, Rule


@pytest.mark.parametrize(
    ("text", "written", "bound"),
    [
        ("ttft_ms.p95 > 800", "ttft_ms.p95 > 800 ms", 800),
        ("  ttft_ms.p95>0.8s ", "ttft_ms.p95 > 800 ms", 800),
        ("latency_ms.mean >= 1e3ms", "latency_ms.mean >= 1000 ms", 1000),
        ("tpot_ms.p50 > .5", "tpot_ms.p50 > 0.5 ms", 0.5),
        ("tokens_per_second.p50 <= 20", "tokens_per_second.p50 <= 20", 20),
        ("error_rate > 0.01", "error_rate > 0.01", 0.01),
        ("error_rate > 7%", "error_rate > 7%", 0.07),
        ("attainment < 95 %", "attainment < 95%", 0.95),
        ("cost_usd_per_1000 > $0.5", "cost_usd_per_1000 > $0.5", 0.5),
        ("total_cost_usd > 1.25$", "total_cost_usd > $1.25", 1.25),
        ("duration_s > 90000ms", "duration_s > 90 s", 90),
        ("request_throughput < 12345678", "request_throughput < 12345678", 12_345_678),
        ("grade > B", "grade > B", "B"),
        ("ttft_ms.p95 > baseline", "ttft_ms.p95 > baseline", Relative()),
        ("ttft_ms.p95 > baseline + 20ms", "ttft_ms.p95 > baseline + 20 ms", Relative(plus=20)),
        ("ttft_ms.p95 > baseline*1.1", "ttft_ms.p95 > baseline * 1.1", Relative(factor=1.1)),
        ("ttft_ms.p95>baseline+10%", "ttft_ms.p95 > baseline + 10%", Relative(factor=1.1)),
        ("tokens_per_second.p50 < baseline-10%", "tokens_per_second.p50 < baseline - 10%", Relative(factor=0.9)),
        ("error_rate > baseline + 0.01", "error_rate > baseline + 0.01", Relative(plus=0.01)),
        ("cost_usd_per_1000 > baseline + $0.1", "cost_usd_per_1000 > baseline + $0.1", Relative(plus=0.1)),
    ],
)
def test_a_rule_is_read_and_written_in_one_way(text: str, written: str, bound: object) -> None:
    rule = parse(text)
    assert (rule.text, rule.bound) == (written, bound)
    assert parse(rule.text) == rule


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("ttft_p95 > 800", "ttft_p95", "there is no metric 'ttft_p95'; did you mean ttft_ms.p95?"),
        ("latencyms.p95 > 3", "latencyms.p95", "did you mean latency_ms.p95?"),
        ("errors > 3", "errors", "did you mean error_rate?"),
        ("zzz > 3", "zzz", "there is no metric 'zzz'; there are queue_ms, "),
        ("ttft_ms > 3", "ttft_ms", "ttft_ms has many values: name a statistic, as in ttft_ms.p95"),
        ("ttft_ms.p75 > 3", "p75", "ttft_ms has no statistic 'p75'; it has min, mean, p50"),
        ("error_rate.p50 > 1", ".p50", "error_rate is a single number"),
        ("ttft_ms.p95 800", "800", "here must be one of >, >=, <, <="),
        ("ttft_ms.p95 = 800", "=", "here must be one of"),
        ("ttft_ms.p95 >", " ", "here must be a number, or baseline"),
        ("ttft_ms.p95 > base + 1", "base", "here must be a number, or baseline"),
        ("ttft_ms.p95 > baseline / 2", "/", "here must be one of +, -, *"),
        ("ttft_ms.p95 > baseline *", " ", "here must be a number"),
        ("ttft_ms.p95 > 800 kg", "kg", "'kg' is not a unit of this metric; it has ms or s"),
        ("request_throughput < 5ms", "ms", "it has none"),
        ("ttft_ms.p95 > $5", "$", "'$' is not a unit of this metric"),
        ("error_rate > 5", "5", "a share is at most 1: write 5% or 0.05"),
        ("error_rate > baseline + 5%", "%", "write 0.05, or * 1.05"),
        ("grade > 3", "3", "here must be a grade: one of A, B, C, D"),
        ("grade > baseline", "baseline", "a grade is not compared with a baseline"),
        ("ttft_ms.p95 > 1e999", "1e999", "this number is too large"),
        ("ttft_ms.p95 > -5", "-", "here must be a number"),
        ("ttft_ms.p95 > 8 9", "9", "the rule ends before this"),
        ("<script> > 1", "<", "a rule begins with a metric"),
        ("", "", "a rule begins with a metric"),
    ],
)
def test_an_error_points_at_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    error = caught.value
    assert message in error.message
    shown, arrows = error.picture
    assert shown[error.begin : error.end] == place.strip()
    assert arrows.rstrip("^").strip() == ""
    assert arrows.count("^") == max(1, len(place.strip()))


def test_a_rule_without_end_is_refused() -> None:
    with pytest.raises(RuleError, match="at most 200 characters"):
        parse("ttft_ms.p95 > " + "9" * 500)


def test_every_distribution_of_the_registry_can_be_named() -> None:
    for measure in DISTRIBUTIONS:
        for statistic in measure.statistics:
            assert parse(f"{measure.name}.{statistic} > 1").measure == MEASURES[measure.name]


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_an_error_with_a_place(text: str) -> None:
    found = _read(text)
    if isinstance(found, RuleError):
        assert 0 <= found.begin < found.end <= len(found.text) + 2
    else:
        assert parse(found.text) == found


def _read(text: str) -> Rule | RuleError:
    try:
        return parse(text)
    except RuleError as error:
        return error
