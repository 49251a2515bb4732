"""Stored samples are the ones that were observed."""

from shared.observing.blocks import decode, encode
from shared.observing.sample import Sample


def test_samples_come_back_as_they_were() -> None:
    samples = [
        Sample(1_000_000, {"running": 3.0}),
        Sample(2_000_000, {}, {"timed_out": 2, "http_error": 1}),
        Sample(3_000_000, {"running": 0.0, "kv_cache_usage": 0.25}),
    ]
    assert list(decode(encode(samples))) == samples


def test_twenty_seconds_take_little_room() -> None:
    names = ("running", "waiting", "kv_cache_usage", "generation_tokens_per_second", "power_w")
    samples = [Sample(second * 1_000_000, dict.fromkeys(names, 100.0 + second)) for second in range(20)]
    assert len(encode(samples)) < 400
