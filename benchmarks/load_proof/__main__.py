"""Whether load tests find what is true: the product against the queueing simulator, whose capacity is known.

    python -m benchmarks.load_proof [--only rates,stall,window,capacity,seed,cache] [--seeds 10] [--at-once 3]

The whole product runs as real processes, and so does the simulator, which logs each request. Prints a table for each
question, as they stand in docs/load-testing.md. The rates are measured against the endpoint in C.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx2
import orjson

from benchmarks.load_proof.arrivals import rates
from benchmarks.load_proof.bench import Bench, simulator
from benchmarks.load_proof.capacity import capacity
from benchmarks.load_proof.measured import stall, window
from benchmarks.load_proof.sent import cache, seed
from benchmarks.truth import free_port
from cli.stack import EmbeddedStack

QUESTIONS: dict[str, Callable[[Bench, argparse.Namespace], None]] = {
    question.__name__: question for question in (rates, stall, window, capacity, seed, cache)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(QUESTIONS), help="questions, with commas between")
    parser.add_argument("--seeds", type=int, default=10, help="servers whose capacity is looked for")
    parser.add_argument("--at-once", type=int, default=3, help="how many of them at the same time")
    parser.add_argument("--seconds", type=float, default=25, help="length of the other runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, simulator(Path(folder) / "requests.jsonl") as url:
        options.port = free_port()
        urls = {"sim": url, "truth": f"http://127.0.0.1:{options.port}"}
        endpoints = [{"name": name, "protocol": "openai", "base_url": f"{root}/v1"} for name, root in urls.items()]
        os.environ["PROVIDERS"] = orjson.dumps(endpoints).decode()
        with (
            EmbeddedStack(data_dir=Path(folder)) as stack,
            httpx2.Client(base_url=stack.url, timeout=120) as client,
        ):
            bench = Bench(client, url, Path(folder) / "requests.jsonl")
            for name in options.only.split(","):
                QUESTIONS[name](bench, options)


if __name__ == "__main__":
    main()
