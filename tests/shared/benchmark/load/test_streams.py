"""The most requests in flight of a benchmark, over all stages and probes that may come."""

from typing import Any

import pytest

from shared.benchmark.load.streams import streams_of
from shared.benchmark.spec import BenchmarkSpec

SLOS = {"ttft_ms": 500}


def streams(**spec: Any) -> int:
    document = {"name": "n", "model": "m", "prompts": ["x"], "repetitions": 1_000, **spec}
    return streams_of(BenchmarkSpec.model_validate(document).with_defaults())


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, 8),
        ({"concurrency": 64}, 64),
        ({"concurrency": 64, "repetitions": 3}, 3),
        ({"request_rate": 5}, 50),
        ({"request_rate": 5, "concurrency": 7}, 7),
        ({"load": {"stages": [{"concurrency": 2, "requests": 9}, {"concurrency": 16, "requests": 99}]}}, 16),
        ({"load": {"sweep": {"concurrency": [1, 4, 32]}}}, 32),
        ({"load": {"search": {"min": 1, "max": 48}}, "slos": SLOS}, 48),
    ],
)
def test_it_is_the_largest_of_all_stages(spec: dict[str, Any], expected: int) -> None:
    assert streams(**spec) == expected
