"""What statistics make of a stall, and whether the steady window is what the server counts in the same time."""

import argparse
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.load_proof.bench import Bench, Json, heading, row, spec


def stall(bench: Bench, options: argparse.Namespace) -> None:
    """A server that stands still for 2 s, as each loop sees it."""
    heading("A stall of 2 s", "load", "server", "requests", "latency P50", "latency P99", "effective P99", "failed")
    loads: Sequence[tuple[str, Json]] = (
        ("closed, 4 streams", {"concurrency": 4}),
        ("open, 20/s", {"request_rate": 20, "max_concurrency": 200}),
        ("open, 20/s, `max_concurrency` 3", {"request_rate": 20, "max_concurrency": 3}),
    )
    for number, (name, load) in enumerate(loads):
        for kind, fault in (("steady", ""), ("stalls", "-stall2000-stallat8")):
            model = f"sim-ttft50-gap10-n6-slots256{fault}-pool{number}"
            [document] = bench.run(spec(model, load={**load, "duration_s": options.seconds}))
            summary = document["summary"]
            effective = summary["effective_latency_ms"]["p99"] if "request_rate" in load else None
            latency = summary["latency_ms"]
            cells = [name, kind, latency["count"], f"{latency['p50']:,.0f}", f"{latency['p99']:,.0f}"]
            row(*cells, "–" if effective is None else f"{effective:,.0f}", summary["requests"]["errored"])


def window(bench: Bench, options: argparse.Namespace) -> None:
    """The steady window's throughput, and the simulator's count of what ended in the same time."""
    heading("Steady window", "load", "begin s", "length s", "requests/s", "simulator", "off by", "tokens/s", "off by")
    loads: Sequence[tuple[str, Json]] = (
        ("closed, 16 streams", {"concurrency": 16}),
        ("closed, ramp 1 to 16 in 5 s", {"concurrency": 16, "ramp": {"from": 1, "over_s": 5}}),
        ("closed, first wave spread", {"concurrency": 16, "first_wave": "spread", "first_wave_s": 2}),
        ("open, Poisson 60/s", {"request_rate": 60, "arrival": "poisson"}),
        ("open, ramp 5 to 80/s in 5 s", {"request_rate": 80, "ramp": {"from": 5, "over_s": 5}}),
    )
    for number, (name, load) in enumerate(loads):
        model = f"sim-ttft50-gap10-n11-slots12-pool{number}"
        [document] = bench.run(spec(model, load={**load, "duration_s": options.seconds}))
        found = document["summary"]["steady_window"]
        seen = bench.seen(model)
        begin_ns = seen[0]["received_ns"] + found["begin_s"] * 1e9
        ended = [line for line in seen if 0 <= line["ended_ns"] - begin_ns <= found["duration_s"] * 1e9]
        count, tokens = (value / found["duration_s"] for value in (len(ended), tokens_between(seen, begin_ns, found)))
        measured, speed = found["request_throughput"], found["output_token_throughput"]
        cells = [name, f"{found['begin_s']:.2f}", f"{found['duration_s']:.2f}", f"{measured:.2f}", f"{count:.2f}"]
        row(*cells, f"{measured / count - 1:+.2%}", f"{speed:.1f}", f"{speed / tokens - 1:+.2%}")


def tokens_between(seen: Iterable[Json], begin_ns: float, found: Json) -> float:
    """The simulator's tokens in the window: those of an answer lie evenly between its first and its last."""
    total, end_ns = 0.0, begin_ns + found["duration_s"] * 1e9
    for line in seen:
        if line["first_content_ns"] is not None:
            at = np.linspace(line["first_content_ns"], line["last_content_ns"], line["content_events"])
            total += int(np.sum((at >= begin_ns) & (at <= end_ns)))
    return total
