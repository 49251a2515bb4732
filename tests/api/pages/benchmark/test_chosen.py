"""What a URL chooses of the requests of a benchmark."""

from datetime import UTC, datetime, timedelta

from api.pages.benchmark.chosen import chosen, needs_time

BEGIN = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def test_zooms_choose_by_the_column_of_their_figure() -> None:
    found = chosen({"zoom.ttft-ecdf": "100..200", "zoom.ttft-histogram": "150..900", "outcome": "errored"}, BEGIN)
    assert (found.outcome, found.within) == ("errored", {"ttft_ms": (150, 200)})
    assert found.words == ("TTFT 150 to 200 ms",)


def test_a_zoom_of_time_counts_from_the_first_request() -> None:
    query = {"zoom.over-time": "2..5", "zoom.lanes": "4..9"}
    found = chosen(query, BEGIN)
    assert found.within == {"sent_at": (BEGIN + timedelta(seconds=4), BEGIN + timedelta(seconds=5))}
    assert needs_time(query)
    assert not needs_time({"zoom.ttft-ecdf": "1..2"})
    assert chosen(query, None).within == {}


def test_tokens_are_whole_numbers() -> None:
    found = chosen({"zoom.latency-by-output": "9.5..12.7"}, BEGIN).within["output_tokens"]
    assert found == (10, 12)
    assert all(isinstance(value, int) for value in found)


def test_what_makes_no_sense_chooses_nothing() -> None:
    query = {"zoom.over-time": "-1e300..1e300", "zoom.ttft-ecdf": "x..y", "outcome": "nice", "sort": "-response"}
    found = chosen(query, BEGIN)
    assert (found.outcome, found.sort, found.within, found.words) == (None, "id", {}, ())
    huge = chosen({"zoom.ttft-by-input": "-1e300..1e300"}, BEGIN).within["input_tokens"]
    assert all(abs(value) < 2**63 for value in huge)
