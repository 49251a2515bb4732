"""The record that a measured request becomes."""

import pytest

from shared.numbers.metrics import MEASURED
from tests.support.streams import openai_stream
from tests.worker.engine.measuring import measure


@pytest.mark.parametrize("script", [[], [(100, openai_stream("Hi"))]], ids=["nothing", "an answer"])
def test_a_record_has_each_measured_metric(script: list[tuple[float, bytes]]) -> None:
    assert set(measure("openai", script).metrics) == set(MEASURED)
