"""What is read from the texts of each server, and from texts that are none. `texts/` has the servers' formats."""

from pathlib import Path

import pytest

from shared.observing.exposition import MAX_SAMPLES, Unreadable, readings

TEXTS = Path(__file__).parent / "texts"
EXPECTED = {
    # Two engines: their requests and tokens add up, and the use of their caches is the mean of both.
    "vllm": {
        "running": 44.0,
        "waiting": 3.0,
        "kv_cache_usage": 0.3125,
        "preemptions_per_second": 3.0,
        "prompt_tokens_per_second": 73_456.0,
        "generation_tokens_per_second": 12_000.0,
        "prefix_cache_queries_per_second": 124_456.0,
        "prefix_cache_hits_per_second": 50_500.0,
    },
    # The samples of single priorities are parts of the one without.
    "sglang": {
        "running": 162.0,
        "waiting": 2_826.0,
        "kv_cache_usage": 0.28,
        "prompt_tokens_per_second": 8_129_002.0,
        "generation_tokens_per_second": 7_557_572.0,
        "prefix_cache_queries_per_second": 8_129_002.0,
        "prefix_cache_hits_per_second": 4_001_000.0,
        "prefix_cache_hit_rate": pytest.approx(0.0075075526),
    },
    # Its prompt tokens are those that were not in the cache.
    "llamacpp": {
        "running": 2.0,
        "waiting": 5.0,
        "prompt_tokens_per_second": 34_000.0,
        "generation_tokens_per_second": 7_801.0,
        "prefix_cache_queries_per_second": 34_000.0,
        "prefix_cache_hits_per_second": 935.0,
    },
    "tgi": {"running": 4.0, "waiting": 7.0, "prompt_tokens_per_second": 900.0, "generation_tokens_per_second": 8_123.0},
    # GPU 0 is shared by two pods and counts once; GPU 2 has the blank values of DCGM.
    "dcgm": {"power_w": pytest.approx(417.979), "gpu_usage": pytest.approx(0.7), "gpu_memory_mib": 80_000.0},
}


def read(text: bytes) -> dict[str, float]:
    """The values of gauges, and the sum of what was counted."""
    found = readings(text)
    return {**found.values, **{name: sum(totals.values()) for name, totals in found.totals.items()}}


@pytest.mark.parametrize("server", EXPECTED)
def test_each_server_is_read_by_its_own_names(server: str) -> None:
    assert read((TEXTS / f"{server}.txt").read_bytes()) == EXPECTED[server]


def test_an_older_vllm_has_older_names() -> None:
    text = b'vllm:gpu_cache_usage_perc{model_name="m"} 0.5\nvllm:gpu_prefix_cache_queries_total{model_name="m"} 10\n'
    assert read(text) == {"kv_cache_usage": 0.5, "prefix_cache_queries_per_second": 10.0}


def test_carriage_returns_timestamps_and_comments_are_no_obstacle() -> None:
    assert read(b"# \xff\r\nvllm:num_requests_running 7 1712345678000\r\n\r\n") == {"running": 7.0}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1"])
def test_a_value_that_no_server_means_is_not_known(value: str) -> None:
    text = f"vllm:num_requests_running {value}\nvllm:num_requests_waiting 2\n"
    assert read(text.encode()) == {"waiting": 2.0}


def test_each_engine_has_a_total_of_its_own() -> None:
    text = b'vllm:generation_tokens_total{engine="0"} 10\nvllm:generation_tokens_total{engine="1"} 20\n'
    assert sorted(readings(text).totals["generation_tokens_per_second"].values()) == [10, 20]
    assert len(readings(text.splitlines()[0]).totals["generation_tokens_per_second"]) == 1


def test_a_line_that_comes_twice_counts_once() -> None:
    text = b'vllm:num_requests_running{engine="0",a="b"} 3\nvllm:num_requests_running{a="b",engine="0"} 3\n'
    assert read(text + b"vllm:num_requests_waiting 1\n" * 2) == {"running": 3.0, "waiting": 1.0}


@pytest.mark.parametrize(
    "bad",
    [
        b"vllm:num_requests_running abc",
        b"vllm:num_requests_running",
        b'vllm:num_requests_running{a="\xff\xfe"} 3',
        b'vllm:num_requests_running{a="1 3',
        b"vllm:num_requests_running{" + b",".join(b'a%d="b"' % number for number in range(2_000)) + b"} 1",
    ],
)
def test_a_line_that_cannot_be_read_is_left_out(bad: bytes) -> None:
    text = b"\n".join([b"vllm:num_requests_waiting 2", bad, b"vllm:generation_tokens_total 5"])
    assert read(text) == {"waiting": 2.0, "generation_tokens_per_second": 5.0}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"", "no_known_series"),
        (b"<!doctype html><title>Sign in</title>", "no_known_series"),
        (bytes(range(256)) * 40, "no_known_series"),
        (b"vllm:num_requests_running_by_reason 3\n", "no_known_series"),
        (b"vllm:num_requests_running", "unreadable"),
        (b"vllm:num_requests_running abc", "unreadable"),
        (b'vllm:num_requests_running{a="1 3', "unreadable"),
        (b'vllm:num_requests_running{a="\xff\xfe"} 3', "unreadable"),
        (b"vllm:num_requests_running " + b"9" * 5_000 + b"x", "unreadable"),
        (b"vllm:num_requests_running 1\n" * (MAX_SAMPLES + 1), "unreadable"),
        # The parser would take 20 s for this one.
        (
            b"vllm:num_requests_running{" + b",".join(b'a%d="b"' % number for number in range(150_000)) + b"} 1",
            "unreadable",
        ),
    ],
)
def test_a_text_that_is_none_of_ours_has_a_reason(text: bytes, kind: str) -> None:
    with pytest.raises(Unreadable) as caught:
        readings(text)
    assert caught.value.kind == kind
