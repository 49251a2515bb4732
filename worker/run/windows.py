"""The statistics of a window of time: throughput, goodput, concurrency, and percentiles of the requests inside it."""

from collections.abc import Mapping
from typing import Any

from shared.benchmark.results.activity import SteadyWindow
from shared.benchmark.results.aggregate import RunAggregate


def steady_window(
    results: RunAggregate, window: SteadyWindow | None, *, independent: bool, same: Mapping[int, int]
) -> dict[str, Any] | None:
    """What happened within the window. None without a window.

    Throughput and goodput count what ended or arrived in it. Percentiles are over requests that were sent and ended in
    it. `independent`, `same`: see `Digest.distribution`.
    """
    if window is None:
        return None
    seconds = (window.end_us - window.begin_us) / 1e6
    written = 0.0 if results.without_events else results.tokens.within(*window)
    read = results.prompt_tokens.within(*window)
    begin_us = results.activity.first_sent_us or window.begin_us
    return {
        # The first request of a schedule is due a little before it is sent.
        "begin_s": max(0, window.begin_us - begin_us) / 1e6,
        "duration_s": seconds,
        "request_throughput": results.activity.succeeded.within(*window) / seconds,
        "input_token_throughput": read / seconds if read else None,
        "output_token_throughput": written / seconds if written else None,
        "total_token_throughput": (read + written) / seconds if read and written else None,
        "mean_concurrency": results.activity.mean_within(*window),
        "goodput": _goodput(results, window, seconds),
        "output_token_goodput": _token_goodput(results, window, seconds),
        **_percentiles(results, window, independent=independent, same=same),
    }


def _goodput(results: RunAggregate, window: SteadyWindow, seconds: float) -> float | None:
    return results.slo.good.within(*window) / seconds if results.slo.attempted else None


def _token_goodput(results: RunAggregate, window: SteadyWindow, seconds: float) -> float | None:
    if not results.slo.attempted or results.without_events or not results.generated_tokens:
        return None
    return results.slo.good_tokens.within(*window) / seconds


def _percentiles(
    results: RunAggregate, window: SteadyWindow, *, independent: bool, same: Mapping[int, int]
) -> dict[str, Any]:
    """Distributions of the sample's requests. None if a worker of a version without the sample measured a part."""
    sample = results.sample
    values = sample.within(*window)
    if sample.count != results.succeeded:
        return {**dict.fromkeys(values), "sampled_share": None}
    return {
        **{
            name: digest.distribution(independent=independent and not same, same=same)
            for name, digest in values.items()
        },
        "sampled_share": sample.share,
    }
