"""How does latency vary with prompt complexity? In one sentence."""

from typing import Any

from api.pages.benchmark.complexity import sentence_of, what_is_not_seen


def fit(slope: float, interval: list[float] | None, explained: float | None = 0.42) -> dict[str, Any]:
    return {"slope": slope, "slope_interval": interval, "explained": explained, "n": 600, "prompts": 120}


def test_a_slope_with_its_interval() -> None:
    assert sentence_of(fit(0.0587, [0.0499, 0.0675]), "TTFT", "input", 600) == (
        "TTFT rises by 58.7 ms per 1,000 input tokens (95 % interval +49.9 ms to +67.5 ms; 600 requests of 120 "
        "prompts). The number of input tokens explains 42 % of its variation."
    )
    text = sentence_of(fit(-8.66, [-12.2, -5.07], 0.035), "Latency", "output", 600)
    assert text.startswith("Latency falls by 8.66 ms per output token (95 % interval −12.2 ms to −5.07 ms;")
    assert text.endswith("explains 3.5 % of its variation. So other things matter more.")


def test_a_slope_that_may_be_none() -> None:
    text = sentence_of(fit(0.001, [-0.002, 0.004]), "TTFT", "input", 600)
    assert text.startswith("TTFT does not visibly depend on input tokens: +1.00 ms per 1,000 input tokens")


def test_too_little_is_said() -> None:
    assert "too few for an interval" in sentence_of(fit(0.1, None), "TTFT", "input", 9)
    assert "same number" in sentence_of(None, "Latency", "output", 9)
    assert sentence_of(None, "Latency", "output", 0) == "No request succeeded."
    assert "explains" not in sentence_of(fit(0.1, [0.05, 0.15], None), "TTFT", "input", 9)


def test_what_cannot_be_seen_is_said_once() -> None:
    known, none = fit(0.1, None), None
    fits = {"ttft_by_input": known, "latency_by_input": known, "ttft_by_output": none, "latency_by_output": none}
    assert what_is_not_seen(fits) == [
        "TTFT and latency cannot be seen against output tokens: all requests have the same number, or it is unknown."
    ]
    (sentence,) = what_is_not_seen({**fits, "latency_by_output": known})
    assert sentence.startswith("TTFT cannot be seen against output tokens")
    (sentence,) = what_is_not_seen(dict.fromkeys(fits))
    assert "the same number of input tokens and the same number of output tokens" in sentence
    assert what_is_not_seen(dict.fromkeys(fits, known)) == []
