"""The rule of the address, in words."""

import pytest

from shared.network.bound import NoKeys, bound_to_host
from shared.scrubber import Scrubber


def test_the_reason_stays_whole_in_the_log() -> None:
    with pytest.raises(NoKeys) as refused:
        bound_to_host("0.0.0.0", None).require_keys()
    assert Scrubber().scrub(refused.value.message) == refused.value.message
    assert "llmbench keys bootstrap" in refused.value.message
