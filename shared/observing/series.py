"""The series that are read from a server under test, and the names that each server has for them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# An engine or a GPU of which a metric has a value: what tells it apart from the others.
Thing = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Metrics of one kind of server that give a series: the sum of `names`, all of which must be there."""

    names: tuple[str, ...]
    scale: float = 1.0
    # Samples above this mean "not known", as the blank values of DCGM do.
    most: float = math.inf
    # The labels that tell the things apart that are counted. Samples that agree in all of them speak of the same thing,
    # of which the largest counts. Empty: all labels tell them apart.
    apart: tuple[str, ...] = ()
    # A sample with this label is a part of the one without it.
    whole_without: str | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """`together`: how the values of several engines, GPUs or servers become one.

    `is_counter`: the metric counts up; the series is its growth per second.
    """

    name: str
    unit: str
    title: str
    sources: tuple[Source, ...]
    together: Literal["sum", "mean"] = "sum"
    is_counter: bool = False


def _of(*names: str) -> Source:
    return Source(names)


# SGLang gives a sample for all priorities together and one for each.
def _of_sglang(name: str) -> Source:
    return Source((name,), whole_without="priority")


# Several pods that share a GPU have a sample each, and so have the instances of a divided GPU.
_GPU = ("Hostname", "UUID", "gpu")

QUERIES, HITS, HIT_RATE = "prefix_cache_queries_per_second", "prefix_cache_hits_per_second", "prefix_cache_hit_rate"

# The first source of a series whose metrics are there counts: newer names stand before older ones.
ALL = (
    Series(
        "running",
        "requests",
        "running",
        (
            _of("vllm:num_requests_running"),
            _of_sglang("sglang:num_running_reqs"),
            _of("llamacpp:requests_processing"),
            _of("tgi_batch_current_size"),
        ),
    ),
    Series(
        "waiting",
        "requests",
        "waiting",
        (
            _of("vllm:num_requests_waiting"),
            _of_sglang("sglang:num_queue_reqs"),
            _of("llamacpp:requests_deferred"),
            _of("tgi_queue_size"),
        ),
    ),
    Series(
        "kv_cache_usage",
        "share",
        "KV cache",
        (
            _of("vllm:kv_cache_usage_perc"),
            _of("vllm:gpu_cache_usage_perc"),
            _of_sglang("sglang:token_usage"),
            _of("llamacpp:kv_cache_usage_ratio"),
        ),
        together="mean",
    ),
    Series(
        "preemptions_per_second",
        "requests/s",
        "preempted",
        (_of("vllm:num_preemptions_total"), _of("sglang:num_retracted_requests_total")),
        is_counter=True,
    ),
    Series(
        "prompt_tokens_per_second",
        "tokens/s",
        "prompt",
        (
            _of("vllm:prompt_tokens_total"),
            _of("sglang:prompt_tokens_total"),
            _of("llamacpp:prompt_tokens_total", "llamacpp:prompt_tokens_cached_total"),
            _of("llamacpp:prompt_tokens_total"),
            _of("tgi_request_input_length_sum"),
        ),
        is_counter=True,
    ),
    Series(
        "generation_tokens_per_second",
        "tokens/s",
        "generated",
        (
            _of("vllm:generation_tokens_total"),
            _of("sglang:generation_tokens_total"),
            _of("llamacpp:tokens_predicted_total"),
            _of("tgi_request_generated_tokens_sum"),
        ),
        is_counter=True,
    ),
    Series(
        QUERIES,
        "tokens/s",
        "prefix asked",
        (
            _of("vllm:prefix_cache_queries_total"),
            _of("vllm:gpu_prefix_cache_queries_total"),
            _of("sglang:prompt_tokens_total"),
            _of("llamacpp:prompt_tokens_total", "llamacpp:prompt_tokens_cached_total"),
        ),
        is_counter=True,
    ),
    Series(
        HITS,
        "tokens/s",
        "prefix found",
        (
            _of("vllm:prefix_cache_hits_total"),
            _of("vllm:gpu_prefix_cache_hits_total"),
            _of("sglang:cached_tokens_total"),
            _of("llamacpp:prompt_tokens_cached_total"),
        ),
        is_counter=True,
    ),
    # Made of the two above where a server has both. This gauge of SGLang is that of its last batch alone.
    Series(HIT_RATE, "share", "prefix hits", (_of_sglang("sglang:cache_hit_rate"),), together="mean"),
    Series("power_w", "W", "power", (Source(("DCGM_FI_DEV_POWER_USAGE",), most=1e6, apart=_GPU),)),
    Series(
        "gpu_usage",
        "share",
        "GPU",
        (
            Source(("DCGM_FI_DEV_GPU_UTIL",), scale=0.01, most=100, apart=_GPU),
            Source(("DCGM_FI_PROF_GR_ENGINE_ACTIVE",), most=1, apart=_GPU),
        ),
        together="mean",
    ),
    Series(
        "gpu_memory_mib",
        "MiB",
        "GPU memory",
        (Source(("DCGM_FI_DEV_FB_USED",), most=1e9, apart=(*_GPU, "GPU_I_ID")),),
    ),
)
BY_NAME: Mapping[str, Series] = {series.name: series for series in ALL}
# Every metric that is read.
METRICS = frozenset(name for series in ALL for source in series.sources for name in source.names)
