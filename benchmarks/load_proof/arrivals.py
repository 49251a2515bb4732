"""Whether open loops reach their rate, and whether arrivals at the server have the distribution asked for."""

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.load_proof.bench import Bench, Json, heading, instant, row, spec
from benchmarks.truth import TruthServer, build

# Of the Kolmogorov-Smirnov statistic times the root of the count, at a level of 1 %.
CRITICAL_KS = 1.63


def rates(bench: Bench, options: argparse.Namespace) -> None:
    """Against the endpoint in C, which reads a request within microseconds."""
    columns = ("arrival", "wanted /s", "achieved /s", "off by", "server's /s", "late", "lateness P50 ms", "P99")
    heading("Rates", *columns, "Kolmogorov-Smirnov")
    loads: list[Json] = [{"request_rate": rate, "arrival": "constant"} for rate in (50, 200, 500)]
    loads += [{"request_rate": 50, "arrival": "poisson"}, {"request_rate": 50, "arrival": "gamma", "burstiness": 0.5}]
    with tempfile.TemporaryDirectory() as folder:
        binary = build(Path(folder))
        for load in loads:
            server = TruthServer(binary, port=options.port, core=None, ttft_ms=20, gap_ms=5, tokens=3)
            limits = {"duration_s": options.seconds, "seed": 7, "max_concurrency": 500}
            with server:
                [document] = bench.run(spec("truth", provider="truth", load={**load, **limits}))
            gaps = np.diff(sorted(truth.received_ns for truth in server.requests.values())) / 1e9
            found = document["summary"]["request_rate"]
            # A schedule is not stretched to the rate: what it asks for is what can be reached.
            due = [instant(result["scheduled_at"]) for result in bench.results(document)]
            wanted = (len(due) - 1) / (max(due) - min(due))
            late = found["lateness_ms"]
            cells: list[Any] = [load["arrival"], f"{wanted:.2f}", f"{found['achieved']:.2f}"]
            cells += [f"{found['achieved'] / wanted - 1:+.2%}", f"{len(gaps) / gaps.sum():.2f}", found["late"]]
            row(
                *cells,
                f"{late['p50']:.2f}",
                f"{late['p99']:.2f}",
                "" if load["arrival"] == "constant" else ks(gaps, load),
            )


def ks(gaps: "np.ndarray[Any, Any]", load: Json) -> str:
    """The statistic of the gaps beside its critical value at 1 %."""
    shape = load.get("burstiness", 1.0)
    drawn = np.sort(np.random.default_rng(0).gamma(shape, 1 / shape / load["request_rate"], 1_000_000))
    expected = np.searchsorted(drawn, np.sort(gaps)) / len(drawn)
    steps = np.arange(len(gaps) + 1) / len(gaps)
    distance = max(np.max(steps[1:] - expected), np.max(expected - steps[:-1]))
    return f"{distance * math.sqrt(len(gaps)):.2f} of {CRITICAL_KS}"
