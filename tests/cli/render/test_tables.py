"""Numbers and texts for people, and tables that fit a terminal."""

import pytest

from cli.render.benchmark import benchmark_lines
from cli.render.calibration import calibration_lines
from cli.render.lists import list_lines, worker_lines
from cli.render.numbers import milliseconds, price, rate, usd
from cli.render.results import result_lines
from cli.render.table import table
from cli.terminal.output import Line, clean
from cli.terminal.text_width import cut, width, wrapped
from tests.cli import documents


def _text(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (usd(None), "–"),
        (usd(0), "$0.00"),
        (usd(12.345), "$12.35"),
        (usd(0.0000428), "$0.0000428"),
        (usd(1e-30), "$0.000000000000"),
        (milliseconds(203.44), "203.4"),
        (milliseconds(123456.7), "123,457"),
        (rate(9.736), "9.74"),
        (rate(155.8), "155.8"),
        (price({"base": 0.1, "tiers": []}), "0.1+"),
        (price(None), "–"),
    ],
)
def test_numbers_are_written_for_people(written: str, value: str) -> None:
    assert written == value


def test_columns_stay_aligned_with_wide_characters() -> None:
    lines = [line.text for line in table(("name", "n"), [("日本", "1"), ("cafe\u0301", "22")], right="lr")]
    assert [width(line) for line in lines] == [8, 8, 8]


def test_a_cut_text_is_never_wider_than_asked() -> None:
    assert cut("日本語テキスト", 5) == "日本…"
    assert width(cut("日本語テキスト", 6)) <= 6


def test_emoji_and_accents_survive_cleaning() -> None:
    assert clean("👩\u200d💻 café\tx") == "👩\u200d💻 café x"


def test_a_calibration_ends_with_the_loads_that_are_measured_right() -> None:
    lines = _text(calibration_lines(documents.CALIBRATION)).splitlines()
    assert lines[4].split() == ["256", "768", "12,800", "0.012", "11.250", "0", "A"]
    assert lines[-2:] == [
        "within 1 ms: up to 16 streams at the same time",
        "within 5 ms: up to 64 streams at the same time",
    ]


def test_a_calibration_says_if_no_load_was_exact_and_if_all_were() -> None:
    one = {**documents.CALIBRATION, "levels": documents.CALIBRATION["levels"][:1]}
    lines = _text(calibration_lines({**one, "streams_within_1ms": None, "streams_within_5ms": 1})).splitlines()
    assert lines[-2:] == [
        "within 1 ms: not even with 1 stream",
        "within 5 ms: up to 1 stream at the same time, the highest load tried",
    ]


def test_workers_show_whether_they_are_alive_and_what_they_measure_exactly() -> None:
    silent = {**documents.WORKER, "alive": False, "calibration": None, "providers": []}
    _, first, second = _text(worker_lines([documents.WORKER, silent])).splitlines()
    assert first.split()[:3] == ["bench-1-3f0c2a7be911", "alive", "2"]
    assert ("16 streams" in first, "64 streams" in first, "anthropic, simulator" in first) == (True,) * 3
    assert ("silent" in second, second.endswith("none: it has no key")) == (True, True)


def test_a_run_that_sent_nothing_has_no_grade() -> None:
    benchmark = documents.benchmark(status="failed")
    benchmark["summary"] = {**documents.benchmark(status="completed")["summary"], "measurement": None}
    assert "Grade        none: no measured request was sent" in _text(benchmark_lines(benchmark))


def test_explain_defines_the_grade_too() -> None:
    text = _text(benchmark_lines(documents.benchmark(), explain=True))
    assert "Grade: what the measuring itself may have added to a TTFT. A: less than 1 ms; B: less than 5 ms" in text


def _widest(lines: list[Line]) -> int:
    return max(width(line.text) for line in lines if line.hang is None)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_lists_fit_a_narrow_terminal_and_keep_a_latency(columns: int) -> None:
    long = documents.benchmark(123_456, name="claude-3-haiku-20240307, 8 prompts × 50, concurrency 10")
    lines = list_lines([long], columns=columns)
    assert _widest(lines) <= columns
    assert "TTFT p50" in lines[0].text
    assert "latency p50" in lines[0].text
    assert "claude-3-haik" in lines[1].text
    assert columns == 120 or lines[-1].text.startswith("too narrow for: provider, created (UTC)")


@pytest.mark.parametrize("columns", [60, 80])
def test_results_fit_a_narrow_terminal(columns: int) -> None:
    assert _widest(result_lines([documents.result(response="word " * 50)], columns=columns)) <= columns


def test_a_table_that_is_too_wide_continues_below_and_breaks_no_number() -> None:
    lines = table(("metric", "p50", "p90", "p99"), [("TTFT", "111.1", "222.2", "333.3")], right="lrrr", columns=20)
    assert [line.text.split() for line in lines] == [
        ["metric", "p50", "p90"],
        ["TTFT", "111.1", "222.2"],
        [],
        ["metric", "p99"],
        ["TTFT", "333.3"],
    ]


def test_a_pipe_gets_the_whole_table() -> None:
    assert table(("a", "b"), [("x" * 300, "y" * 300)], fit=(0, 1), drop=(1,))[1].text == "x" * 300 + "  " + "y" * 300


def test_a_long_line_is_broken_between_words_and_goes_on_below_its_value() -> None:
    line = "Throughput   19.8 requests/s, 316.5 output tokens/s over the whole run"
    lines = list(wrapped(line, 40, 13))
    assert lines == [
        "Throughput   19.8 requests/s, 316.5",
        " " * 13 + "output tokens/s over the",
        " " * 13 + "whole run",
    ]
    assert list(wrapped("see http://127.0.0.1:8000/benchmarks/1 there", 10, 2)) == [
        "see",
        "  http://127.0.0.1:8000/benchmarks/1",
        "  there",
    ]


def test_an_older_grade_of_a_run_without_success_is_not_shown() -> None:
    summary = documents.summary(succeeded=0, errored=1, measurement={"grade": "A", "reasons": []})
    assert "Grade        none: no request succeeded" in _text(benchmark_lines(documents.benchmark(summary=summary)))


def test_a_list_says_which_benchmarks_a_budget_stopped() -> None:
    _, first, second = list_lines([documents.benchmark(stopped="budget"), documents.benchmark(2)])
    assert first.text.split()[1:3] == ["completed", "(budget)"]
    assert "(budget)" not in second.text
