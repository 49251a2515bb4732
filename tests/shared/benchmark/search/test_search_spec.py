"""Which searches a caller may ask for."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.search.search_spec import SearchSpec


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"probe_s": 5, "probe_requests": 5}, "not both"),
        ({"start": 8, "max": 4}, "8 is not in 1 to 4"),
        ({"start": 2, "min": 4}, "2 is not in 4 to 1024"),
        ({"max": 2_000}, "less than or equal to 1024"),
        ({"attainment": 1.0}, "less than 1"),
        ({"max_probes": 0}, "greater than or equal to 1"),
        ({"tolerance": 0.0}, "greater than or equal to 0.01"),
    ],
)
def test_wrong_searches(written: dict[str, Any], message: str) -> None:
    """What does not fit together is refused in words."""
    with pytest.raises(ValidationError, match=message):
        SearchSpec.model_validate(written)


def test_requests_of_a_probe() -> None:
    """By default a probe has eight requests for each stream, and enough for an interval at few streams."""
    assert [SearchSpec().requests_at(value) for value in (1, 4, 100)] == [150, 150, 800]
    # 20 requests are never 100 at a time: the answer would be that of a lower load.
    assert [SearchSpec(probe_requests=20).requests_at(value) for value in (4, 100)] == [20, 200]
    assert SearchSpec(probe_s=30).requests_at(100) is None
