"""Which fields of a spec go together. `spec.py` asks; each error names the field."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.benchmark.run_spec import RunSpec
    from shared.benchmark.search.search_spec import SearchSpec
    from shared.benchmark.slo.slo_spec import SloSpec
    from shared.benchmark.spec import BenchmarkSpec

# The fields that a `load` replaces, and what to say instead.
SHORT_FORM = {
    "concurrency": "set load.concurrency, or load.max_concurrency for an open loop",
    "request_rate": "set load.request_rate",
    "arrival": "set load.arrival",
    "arrival_seed": "set load.seed",
    "warmup": "set load.warmup.requests",
}


def check_short_form(spec: "RunSpec") -> None:
    """Raises ValueError if the spec has a `load` and a field that it replaces."""
    if spec.load is not None and (both := [name for name in SHORT_FORM if name in spec.model_fields_set]):
        raise ValueError(f"{both[0]} and load exclude each other: {SHORT_FORM[both[0]]}")


def check_load(spec: "RunSpec") -> None:
    """Raises ValueError if arrivals, SLOs and the kind of load do not fit."""
    if spec.request_rate is None and spec.arrival != "constant":
        raise ValueError("arrival says how request_rate spaces requests: set request_rate as well")
    bound = None if spec.slos is None else spec.slos.effective_latency_ms
    closed = (not _has_times(spec)) if spec.load is None else spec.load.is_closed
    if bound is not None and closed:
        raise ValueError("slos.effective_latency_ms counts from when a request was due: set request_rate as well")
    if spec.load is not None and spec.load.search is not None:
        _check_search(spec.load.search, spec.slos)


def _check_search(search: "SearchSpec", slos: "SloSpec | None") -> None:
    """Raises ValueError if the search could not find its answer with any number of requests."""
    if slos is None:
        raise ValueError("load.search looks for the highest load that meets the slos: set slos as well")
    if search.attainment is None and slos.attainment >= 1:
        raise ValueError(
            "an attainment of 1 cannot be shown by any number of requests: set load.search.attainment below 1, or that "
            "of slos"
        )


def check_sharing(spec: "RunSpec") -> None:
    """Raises ValueError if the spec is to run alone and beside others."""
    if spec.exclusive and spec.share_endpoint:
        raise ValueError("exclusive and share_endpoint exclude each other: leave one of them out")


def _has_times(spec: "RunSpec") -> bool:
    """Whether requests of the short form are due at times of their own: by a rate, or by those of a trace."""
    return spec.request_rate is not None or (spec.workload is not None and spec.workload.trace is not None)


def check_requests(spec: "BenchmarkSpec", most: int) -> None:
    """Raises ValueError if the run would send more requests than `most`, or has no end."""
    if spec.load is None:
        if (planned := spec.measured_requests + spec.warmup) > most:
            raise ValueError(f"prompts x repetitions + warmup must be at most {most:,}, is {planned:,}")
        return
    endless = spec.workload is not None and spec.workload.is_endless
    if endless and (where := spec.load.lacks_end) is not None:
        raise ValueError(f"{where} needs requests or duration_s: the workload has no end of its own")
    if (planned := spec.load.most_requests(spec.listed_requests)) > most:
        raise ValueError(f"load: all stages together must send at most {most:,} requests, these {planned:,}")
