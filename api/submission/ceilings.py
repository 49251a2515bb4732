"""Checks a submit against the ceiling of its endpoint: how many streams all benchmarks together may have there."""

from shared.benchmark.load.streams import streams_of
from shared.benchmark.spec import BenchmarkSpec
from shared.errors import InvalidRequest
from shared.providers.endpoints import Endpoint

CODE = "too_many_streams"


def check_streams(spec: BenchmarkSpec, endpoint: Endpoint) -> None:
    """Raises InvalidRequest if a benchmark alone has more requests in flight than its endpoint allows.

    `spec`: with its defaults.
    """
    if endpoint.max_streams is None or spec.share_endpoint or (streams := streams_of(spec)) <= endpoint.max_streams:
        return
    raise InvalidRequest.of(
        "concurrency" if spec.load is None else "load",
        f"it would have up to {streams:,} requests in flight, and endpoint {endpoint.name!r} allows "
        f"{endpoint.max_streams:,} for all benchmarks together (max_streams)",
        CODE,
    )
