"""Settings that two runs must share, from stored specs."""

from typing import Any

import pytest

from shared.benchmark.comparable import is_deleted, load_of


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"concurrency": 4}, {"concurrency": 4, "warmup": False}),
        ({"load": {"concurrency": 4, "duration_s": 60, "warmup": {"requests": 2}}}, {"concurrency": 4, "warmup": True}),
        (
            {"request_rate": 2.0, "concurrency": 9, "warmup": 1},
            {"request_rate": 2.0, "arrival": "constant", "max_concurrency": 9, "warmup": True},
        ),
        (
            {"load": {"stages": [{"name": "calm", "concurrency": 2, "requests": 5}], "seed": 1}},
            {"stages": [{"concurrency": 2}], "warmup": False},
        ),
    ],
)
def test_a_load_has_one_form(spec: dict[str, Any], expected: dict[str, Any]) -> None:
    assert load_of(spec) == expected


def test_what_retention_deletes_is_known_by_its_path() -> None:
    deleted = ["extra_body", "extra_body.a", "workload.cache", "parameters.stop", "parameters.stop[0]"]
    assert all(map(is_deleted, deleted))
    assert not any(map(is_deleted, ["parameters.max_tokens", "load.concurrency", "workloads", "parameters.stops"]))
