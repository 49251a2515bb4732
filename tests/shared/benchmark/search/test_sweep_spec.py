"""Which sweeps a caller may ask for, and which loads they measure."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.search.sweep_spec import SweepSpec


@pytest.mark.parametrize(
    ("written", "control", "values"),
    [
        ({"concurrency": [1, 2, 4]}, "concurrency", (1, 2, 4)),
        ({"concurrency": [8, 1]}, "concurrency", (8, 1)),
        ({"concurrency": {"from": 1, "to": 64, "factor": 2}}, "concurrency", (1, 2, 4, 8, 16, 32, 64)),
        ({"concurrency": {"from": 3, "to": 20}}, "concurrency", (3, 6, 12, 20)),
        ({"concurrency": {"from": 5, "to": 5}}, "concurrency", (5,)),
        ({"concurrency": {"from": 1, "to": 4, "factor": 1.3}}, "concurrency", (1, 2, 3, 4)),
        ({"request_rate": [0.5, 2.0]}, "request_rate", (0.5, 2.0)),
        ({"request_rate": {"from": 1, "to": 10, "factor": 3}}, "request_rate", (1, 3, 9, 10)),
        ({}, "concurrency", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
    ],
)
def test_loads_of_a_sweep(written: dict[str, Any], control: str, values: tuple[float, ...]) -> None:
    """A list keeps its order; steps end exactly at `to`, and whole streams are not measured twice."""
    sweep = SweepSpec.model_validate(written)
    assert sweep.control == control
    assert sweep.values == pytest.approx(values)


@pytest.mark.parametrize(
    ("written", "ends"),
    [
        ({}, True),
        ({"to_saturation": False}, False),
        ({"concurrency": [1, 2]}, False),
        ({"request_rate": [1.0]}, False),
        ({"concurrency": {"from": 2}, "to_saturation": True}, True),
    ],
)
def test_only_a_sweep_without_an_end_stops_at_saturation_by_itself(written: dict[str, Any], ends: bool) -> None:
    """Points that the caller names are all measured, unless `to_saturation` is set."""
    assert SweepSpec.model_validate(written).ends_at_saturation is ends


def test_length_of_a_point() -> None:
    """A point takes 30 s unless its requests or its duration is given."""
    assert SweepSpec().point_s == 30
    assert SweepSpec(duration_s=5).point_s == 5
    assert SweepSpec(requests=7).point_s is None


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"concurrency": [1], "request_rate": [1.0]}, "not both"),
        ({"requests": 5, "duration_s": 5}, "not both"),
        ({"concurrency": []}, "at least 1 item"),
        ({"concurrency": [0]}, "greater than or equal to 1"),
        ({"concurrency": [2_000]}, "less than or equal to 1024"),
        ({"request_rate": [0.0]}, "greater than 0"),
        ({"concurrency": {"from": 8, "to": 4}}, "`to` must be at least `from`"),
        ({"concurrency": {"from": 1, "to": 4, "factor": 1.0}}, "greater than or equal to 1.05"),
        ({"concurrency": {"from": 1, "up": 4}}, "Extra inputs"),
        ({"concurrency": list(range(1, 61)), "repeats": 2}, "at most 100 points"),
        ({"request_rate": {"from": 0.01, "to": 10_000, "factor": 1.05}}, "at most 100 points"),
    ],
)
def test_wrong_sweeps(written: dict[str, Any], message: str) -> None:
    """What does not fit together is refused in words."""
    with pytest.raises(ValidationError, match=message):
        SweepSpec.model_validate(written)


def test_a_stored_sweep_reads_back() -> None:
    """What is stored has the names that the caller wrote."""
    for written in ({"concurrency": {"from": 1, "to": 8, "factor": 2.0}}, {"request_rate": [1.0, 2.0]}):
        sweep = SweepSpec.model_validate(written)
        stored = sweep.model_dump(mode="json")
        assert stored[sweep.control] == written[sweep.control]
        assert SweepSpec.model_validate(stored) == sweep


def test_a_point_has_at_least_two_requests_for_each_stream() -> None:
    sweep = SweepSpec(concurrency=(1, 10, 64), requests=20)
    assert [sweep.requests_at(value) for value in sweep.values] == [20, 20, 128]
    assert SweepSpec(request_rate=(1.0, 64.0), requests=20).requests_at(64) == 20
    assert SweepSpec(concurrency=(64,), duration_s=5).requests_at(64) is None
