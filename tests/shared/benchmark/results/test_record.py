"""What the counts of a usage mean."""

import pytest

from shared.benchmark.results.record import Usage


@pytest.mark.parametrize(
    ("usage", "uncached"),
    [
        (Usage(), None),
        (Usage(cache_read_tokens=5, cache_in_input=True), None),
        (Usage(input_tokens=0), 0),
        (Usage(input_tokens=10, cache_read_tokens=4, cache_write_tokens=3), 10),
        (Usage(input_tokens=10, cache_read_tokens=4, cache_write_tokens=3, cache_in_input=True), 3),
        (Usage(input_tokens=10, cache_in_input=True), 10),
        # A server that counts its cached tokens beside the input, against its protocol.
        (Usage(input_tokens=10, cache_read_tokens=40, cache_in_input=True), 0),
    ],
)
def test_uncached_input_tokens_leave_cached_ones_out(usage: Usage, uncached: int | None) -> None:
    assert usage.uncached_input_tokens == uncached
