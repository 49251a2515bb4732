"""Instants, statuses, metrics and sentences for people."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from api.pages.words.instants import ago, iso, utc
from api.pages.words.metrics import definition, label, unit
from api.pages.words.sentences import sentence, with_code
from api.pages.words.statuses import SHAPES, shape
from shared.benchmark.status import STATUSES
from shared.numbers.metrics import METRICS

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (timedelta(seconds=2), "now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=12, seconds=59), "12 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "2025-01-14 10:30"),
        (timedelta(seconds=-90), "in 1 min"),
        (timedelta(days=-3), "2025-01-18 10:30"),
    ],
)
def test_an_instant_is_relative_under_a_day(passed: timedelta, expected: str) -> None:
    assert ago(NOW - passed, NOW) == expected


def test_instants_of_any_zone_are_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert utc(there) == "2025-01-15 10:30:00 UTC"
    assert iso(there) == "2025-01-15T10:30:00Z"


def test_each_status_has_a_shape_of_its_own() -> None:
    assert len({shape(status) for status in STATUSES}) == len(STATUSES)
    assert shape("unheard of") == "·"
    assert "running" in SHAPES


def test_labels_and_definitions_are_those_of_the_registry() -> None:
    assert (label("ttft_ms"), unit("ttft_ms")) == ("TTFT", "ms")
    assert definition("ttft_ms") == METRICS["ttft_ms"].text.replace("`", "")
    assert "from sent_at to the first event" in definition("ttft_ms")
    assert label("tls_ms") == "TLS"
    assert label("some_new_metric_ms") == "Some new metric"
    assert (unit("nothing"), definition("nothing")) == ("", "")


def test_details_of_problems_become_sentences() -> None:
    assert sentence("the database does not answer") == "The database does not answer."
    assert sentence(" Done! ") == "Done!"
    assert sentence("") == ""


def test_code_of_a_text_is_marked_and_everything_is_escaped() -> None:
    assert with_code("as `key:value`") == "as <code>key:value</code>"
    assert with_code("`<img>` & `open") == "<code>&lt;img&gt;</code> &amp; `open"
