"""The one form of dates that callers send."""

from datetime import UTC, datetime

import pytest

from api.schemas.instant import parsed_instant

MIDNIGHT = datetime(2025, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-15",
        "2025-01-15T00:00:00Z",
        "2025-01-15t00:00:00z",
        "2025-01-15 00:00:00Z",
        "2025-01-15T00:00:00.000000000Z",
        "2025-01-15T00:00:00+00:00",
        "2025-01-15T02:00:00+02:00",
        "2025-01-15T02:00:00 02:00",
        "2025-01-14T19:30:00-04:30",
    ],
)
def test_each_way_to_write_an_instant_is_the_same_instant(text: str) -> None:
    assert parsed_instant(text) == MIDNIGHT


def test_fractions_count_to_the_microsecond() -> None:
    assert parsed_instant("2025-01-15T00:00:00.1234569Z") == MIDNIGHT.replace(microsecond=123456)
    assert parsed_instant("2025-01-15T00:00:00.5Z") == MIDNIGHT.replace(microsecond=500_000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1736899200",
        "1736899200.5",
        "2025-01-15T00:00:00",
        "2025-01-15T00:00Z",
        "2025-01-15T00:00:00+02",
        "2025-01-15Z",
        "2025-02-30",
        "2025-01-15T24:00:00Z",
        "2025-01-15T00:00:00+24:00",
        "2025-1-5",
        "20250115T000000Z",
        "2025-W03-3",
        "0001-01-01T00:00:00+05:00",
        "\u0662\u0660\u0662\u0665-01-15",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parsed_instant(text)
