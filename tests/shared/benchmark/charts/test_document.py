"""The whole document, and the tables that figures show of it."""

from typing import get_args

import orjson
import pytest

from shared.benchmark.charts.document import charts_of
from shared.benchmark.charts.steps import nice, nice_seconds
from shared.benchmark.charts.tables import TABLES, FigureId, ecdf_points
from tests.shared.benchmark.charts.rows import columns, row


def test_distributions_and_lines_are_over_succeeded_requests() -> None:
    rows = [row(number, input_tokens=10 + number) for number in range(20)]
    document = charts_of(columns(*rows, row(20, outcome="truncated", ttft_ms=9_000.0, input_tokens=5)))
    assert (document["ttft_ms"]["count"], document["ttft_ms"]["quantiles"][-1]) == (20, 100)
    assert document["fits"]["ttft_by_input"]["n"] == 20
    assert document["fits"]["latency_by_output"] is None
    assert document["requests"]["of"] == 21


def test_a_document_of_nothing_is_json() -> None:
    document = {**charts_of(columns()), "errors": []}
    assert orjson.loads(orjson.dumps(document)) == document
    assert all(TABLES[figure](document).rows == [] for figure in TABLES)


def test_every_figure_has_a_table_of_equal_rows() -> None:
    rows = [row(number, input_tokens=number, latency_ms=100.0 + number) for number in range(700)]
    errors = [{"kind": "rate_limited", "count": 3, "example": None}]
    document = {**charts_of(columns(*rows, row(700, outcome="errored", latency_ms=None))), "errors": errors}
    assert set(TABLES) == set(get_args(FigureId))
    for make in TABLES.values():
        table = make(document)
        assert {len(cells) for cells in table.rows} == {len(table.columns)}
    assert TABLES["latency-histogram"](document).columns == ("from_latency_ms", "to_latency_ms", "requests")
    assert sum(cells[2] for cells in TABLES["latency-histogram"](document).rows) == 700  # type: ignore[misc]
    assert len(TABLES["lanes"](document).rows) == 701
    by_input = TABLES["latency-by-input"](document)
    assert by_input.columns == ("id", "prompt_index", "input_tokens", "latency_ms")
    # The one that failed has no latency to show.
    assert (len(by_input.rows), by_input.rows[-1]) == (700, (700, 699, 699, 799.0))


def test_an_ecdf_rises_to_one() -> None:
    few = charts_of(columns(*[row(number, latency_ms=float(number)) for number in range(1, 5)]))["latency_ms"]
    assert ecdf_points(few) == [(1, 0.25), (2, 0.5), (3, 0.75), (4, 1)]
    many = charts_of(columns(*[row(number, latency_ms=float(number)) for number in range(1, 10_001)]))["latency_ms"]
    points = ecdf_points(many)
    assert points == sorted(points)
    assert points[-1] == (10_000, 1)
    assert all(share == pytest.approx(value / 10_000, abs=2e-3) for value, share in points)


def test_steps_are_easy_numbers() -> None:
    assert [nice(value) for value in (1, 1.1, 3, 7, 0.03)] == [1, 2, 5, 10, pytest.approx(0.05)]
    assert [nice_seconds(value) for value in (0.001, 0.3, 11, 61, 30_000, 90_000)] == [
        0.01,
        0.5,
        15,
        120,
        86_400,
        172_800,
    ]


def test_instants_may_be_texts() -> None:
    found = columns(
        row(0, ended_s="2023-11-14T22:13:20.500000Z"),
        row(1, ended_s=None),
        row(2, ended_s="2023-11-14T22:13:22.123456Z"),
    )
    assert found.ended_s.tolist() == [1_700_000_000.5, pytest.approx(float("nan"), nan_ok=True), 1_700_000_002.123456]
