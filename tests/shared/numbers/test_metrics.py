"""The registry of metrics: each entry is complete, and agrees with what the rest of the program has."""

from dataclasses import fields

import pytest

from shared.benchmark.results.record import Usage
from shared.db.tables.benchmarks import Result
from shared.numbers.metric import Metric
from shared.numbers.metrics import DEFINITIONS, DISTRIBUTED, METRICS, REPORTED, STORED

each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)


@each_metric
def test_a_metric_has_a_formula_exactly_if_it_comes_from_the_timeline(metric: Metric) -> None:
    assert (metric.compute is not None) == (metric.source == "timeline")


@each_metric
def test_only_what_has_a_value_is_shown_or_sorted(metric: Metric) -> None:
    assert metric.distributed or metric.row is None
    assert metric.stored or (metric.column is None and not metric.sortable)
    assert metric.stored or metric.distributed


@each_metric
def test_a_definition_names_its_unit_and_when_it_is_unknown(metric: Metric) -> None:
    assert metric.unit
    assert f"Unit: {metric.unit}." in metric.text
    assert ("Null when" in metric.text) == (metric.null_when != "never")


def test_a_definition_without_unit_or_null_is_one_sentence() -> None:
    assert DEFINITIONS["connection_reused"].text == f"{DEFINITIONS['connection_reused'].definition}."


@pytest.mark.parametrize("name", STORED)
def test_a_stored_metric_has_a_column_of_its_type(name: str) -> None:
    metric, column = METRICS[name], Result.__table__.c[name]
    assert column.type.python_type is metric.kind
    assert column.nullable == metric.nullable


def test_each_column_with_a_number_about_the_request_is_a_metric() -> None:
    places = {"id", "benchmark_id", "prompt_index", "repetition", "stage", "turn"}
    numbers = {column.name for column in Result.__table__.c if column.type.python_type in (int, float)}
    assert numbers - places <= set(STORED)


def test_reported_tokens_are_the_counts_of_a_usage() -> None:
    counts = {field.name for field in fields(Usage) if field.name.endswith("_tokens")}
    assert counts | {"total_input_tokens"} == set(REPORTED)


def test_distributions_that_the_terminal_shows_come_first() -> None:
    shown = [METRICS[name].row is not None for name in DISTRIBUTED]
    assert shown == sorted(shown, reverse=True)
    assert DISTRIBUTED[0] == "ttft_ms"
