"""One sentence a difference, with three digits and its interval."""

import pytest

from shared.comparison.measure import COST, ERRORS, QUANTILES, Difference, Interval, Known, Measure
from shared.comparison.sentence import sentence_of
from shared.comparison.verdict import Verdict

P95 = next(measure for measure in QUANTILES if measure.title == "P95 TTFT")
SPEED = next(measure for measure in QUANTILES if measure.title == "P50 tokens/s")


def sentence(
    verdict: Verdict,
    value: float | None,
    interval: Interval | None = None,
    more: int | None = None,
    measure: Measure = P95,
    **changes: object,
) -> str:
    known = Known(100, 400.0, None)
    difference = Difference(known, known, value, interval, interval, **changes)  # type: ignore[arg-type]
    return sentence_of(measure, difference, verdict, more, label="B", reference="A")


def test_a_difference_says_which_way_and_how_sure() -> None:
    assert sentence("different", -180, (-240, -120)) == "B's P95 TTFT is 180 ms lower [120, 240]"
    assert sentence("different", 180, (120, 240)) == "B's P95 TTFT is 180 ms higher [120, 240]"
    assert sentence("different", 1_800, (120, 2_400)) == "B's P95 TTFT is 1.80 s higher [0.12, 2.40]"
    assert (
        sentence("different", 8.25, (4, 12.5), measure=SPEED) == "B's P50 tokens/s is 8.2 tokens/s higher [4.0, 12.5]"
    )
    assert sentence("different", -0.0213, (-0.03, -0.01), measure=COST) == (
        "B's cost is $0.0213 per 1,000 requests lower [0.0100, 0.0300]"
    )
    assert (
        sentence("different", 0.021, (0.011, 0.035), measure=ERRORS)
        == "B's error share is 2.10 points higher [1.10, 3.50]"
    )


def test_other_verdicts_have_their_words() -> None:
    assert sentence("too_small_to_matter", -3, (-5, -1)) == (
        "B's P95 TTFT is 3.00 ms lower [1.00, 5.00]: different, but too small to matter"
    )
    assert sentence("practically_equal", 2, (-4.5, 8)) == (
        "B's P95 TTFT is practically equal to A's: +2.00 ms [−4.50, 8.00]"
    )
    assert sentence("withheld", -180, (-240, -120)) == "B's P95 TTFT: −180 ms [−240, −120], no verdict"


def test_too_early_says_what_is_missing() -> None:
    assert sentence("too_early", 20, (-10, 50), 340) == (
        "B's P95 TTFT: too early to tell: about 340 more requests in each (so far +20.0 ms [−10.0, 50.0])"
    )
    assert "about 1,200 more requests with new prompts in each" in sentence(
        "too_early", 20, (-10, 50), 1_200, basis="prompts"
    )
    assert "about 1 more request in each" in sentence("too_early", 20, (-10, 50), 1)
    assert sentence("too_early", 0.0, (0.0, 0.0)) == (
        "B's P95 TTFT: too early to tell: it needs more requests (so far 0.00 ms [0.00, 0.00])"
    )


@pytest.mark.parametrize(
    ("n", "text"),
    [(24, "too early to tell: it needs 72 values of each, the smaller run has 24"), (0, "not known of both")],
)
def test_too_few_values_have_no_difference(n: int, text: str) -> None:
    difference = Difference(Known(100, 400.0, None), Known(n, None, None), None, needed=72)
    found = sentence_of(P95, difference, "too_early", None, label="B", reference="A")
    assert found == f"B's P95 TTFT: {text}"
