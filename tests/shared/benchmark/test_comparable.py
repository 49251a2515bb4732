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


def _stages(*stages: dict[str, Any]) -> dict[str, Any]:
    return load_of({"load": {"stages": [{"concurrency": 4**number, **stage} for number, stage in enumerate(stages)]}})


@pytest.mark.parametrize(
    ("lengths", "others", "is_same"),
    [
        (({"duration_s": 10}, {"duration_s": 1_000}), ({"duration_s": 1_000}, {"duration_s": 10}), False),
        (({"requests": 50}, {"requests": 100}), ({"requests": 100}, {"requests": 100}), False),
        (({"requests": 50}, {"duration_s": 100}), ({"requests": 50}, {"duration_s": 10}), False),
        (({"requests": 50}, {"requests": 50}), ({"duration_s": 50}, {"duration_s": 50}), False),
        # Twice as long, but of each load as much of the whole.
        (({"requests": 50}, {"requests": 100}), ({"requests": 100}, {"requests": 200}), True),
        (({"duration_s": 30}, {"duration_s": 30}), ({"duration_s": 60.0}, {"duration_s": 60.0}), True),
        # Warm-up is in no number.
        (
            ({"requests": 5, "warmup": {"requests": 1}}, {"requests": 5}),
            ({"requests": 5, "warmup": {"requests": 9}}, {"requests": 5}),
            True,
        ),
        (({"requests": 50},), ({"duration_s": 10},), True),
    ],
)
def test_the_share_of_each_stage_is_a_part_of_the_load(
    lengths: tuple[dict[str, Any], ...], others: tuple[dict[str, Any], ...], is_same: bool
) -> None:
    assert (_stages(*lengths) == _stages(*others)) is is_same


def test_what_retention_deletes_is_known_by_its_path() -> None:
    deleted = ["extra_body", "extra_body.a", "workload.cache", "parameters.stop", "parameters.stop[0]"]
    assert all(map(is_deleted, deleted))
    assert not any(map(is_deleted, ["parameters.max_tokens", "load.concurrency", "workloads", "parameters.stops"]))
