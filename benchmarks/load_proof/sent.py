"""Whether a seed gives the same requests again, and what each use of the prompt cache makes of them."""

import argparse
from typing import Any

from benchmarks.load_proof.bench import Bench, heading, instant, row


def seed(bench: Bench, _options: argparse.Namespace) -> None:
    """One seed twice and another once. The simulator caches all texts, so equal texts show as cached tokens."""
    heading("Seeds", "run", "requests", "same lengths", "largest difference of offsets µs", "cached share")
    model = "sim-ttft20-gap2-n400-slots512-cache10000000"
    lengths = {"distribution": "lognormal", "mean": 200, "stdev": 100, "max": 1_000}
    first: list[tuple[Any, ...]] = []
    for name, number in (("seed 7", 7), ("seed 7 again", 7), ("seed 8", 8)):
        workload = {"source": "generated", "input_tokens": lengths, "output_tokens": lengths, "seed": number}
        load = {"request_rate": 40, "arrival": "poisson", "duration_s": 8, "seed": number}
        [document] = bench.run({"model": model, "load": load, "workload": workload})
        results = sorted(bench.results(document), key=lambda result: result["prompt_index"])
        begin = instant(results[0]["scheduled_at"])
        rows = [
            (result["input_tokens"], result["output_tokens"], instant(result["scheduled_at"]) - begin)
            for result in results
        ]
        first = first or rows
        same = sum(one[:2] == two[:2] for one, two in zip(first, rows, strict=False))
        apart = max(abs(one[2] - two[2]) for one, two in zip(first, rows, strict=False)) * 1e6
        share = document["summary"]["cached_share"]
        row(name, len(rows), f"{same} of {len(first)}", f"{apart:,.0f}", f"{share or 0:.1%}")


def cache(bench: Bench, _options: argparse.Namespace) -> None:
    """What each use of the cache makes of the same prompts, as the provider reports it and as the simulator logs it."""
    heading("Caches", "`cache`", "input tokens", "cached share", "simulator's", "TTFT P50 ms")
    shared = {"shared_prefix": {"tokens": 1_000, "prefixes": 4, "share": 0.8}}
    for number, (name, use) in enumerate((("none", "none"), ("bust", "bust"), ("shared_prefix", shared))):
        model = f"sim-ttft20-prefill200-gap2-n8-slots16-cache200000-pool{number}"
        workload = {"cache": use, "seed": 7}
        prompts = [f"{number}. " + "Tell me more about rivers. " * 40 for number in range(20)]
        [document] = bench.run(
            {"model": model, "prompts": prompts, "workload": workload, "load": {"concurrency": 8, "requests": 200}}
        )
        summary, seen = document["summary"], bench.seen(model)
        given, read = (sum(line[name] for line in seen) for name in ("input_tokens", "cached_tokens"))
        row(
            name,
            f"{given:,}",
            f"{summary['cached_share']:.1%}",
            f"{read / given:.1%}",
            f"{summary['ttft_ms']['p50']:.1f}",
        )
