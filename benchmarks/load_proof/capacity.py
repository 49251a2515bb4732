"""Whether sweep and search find the true capacity of servers that seeds make up."""

import argparse
import random

from benchmarks.load_proof.bench import Bench, Json, heading, row, spec


def capacity(bench: Bench, options: argparse.Namespace) -> None:
    """Sweep and search of servers that each seed makes up, beside their true capacity."""
    columns = ("seed", "slots", "truth /s", "sweep's highest /s", "off by", "knee: streams", "/s", "off by")
    heading("Capacity", *columns, "search: streams", "off by", "status", "sustained", "probes")
    for first in range(0, options.seeds, options.at_once):
        servers = [Server(seed) for seed in range(first, min(first + options.at_once, options.seeds))]
        sweeps = bench.run(*(server.sweep for server in servers))
        searches = bench.run(*(server.search for server in servers))
        for server, sweep, search in zip(servers, sweeps, searches, strict=True):
            truth = bench.truth(server.model)["capacity_rps"]
            curve, answer = bench.curve(sweep), search["summary"]["search"]
            highest = max(point["request_throughput"]["value"] for point in curve["points"])
            cells = [server.seed, server.slots, f"{truth:.2f}", f"{highest:.2f}", f"{highest / truth - 1:+.1%}"]
            if knee := curve["knee"]:
                rate = knee["request_throughput"]
                cells += [f"{knee['load']:.1f}", f"{rate:.2f}", f"{rate / truth - 1:+.1%}"]
            else:
                cells += ["none", curve["knee_reason"], ""]
            cells += [answer["concurrency"], f"{answer['concurrency'] / server.slots - 1:+.0%}", answer["status"]]
            row(*cells, answer["is_sustained"], len(answer["probes"]))


class Server:
    """A simulator's model that a seed makes up. A stream beyond its slots waits, and then misses the SLO."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.seed = seed
        self.slots = draw.randint(3, 16)
        ttft, gap, tokens = draw.randint(40, 120), draw.randint(8, 20), draw.randint(10, 20)
        self.model = f"sim-ttft{ttft}-gap{gap}-n{tokens}-slots{self.slots}-pool{seed}"
        self._slo_ms = ttft + 0.5 * (ttft + gap * (tokens - 1))

    @property
    def sweep(self) -> Json:
        points = {"concurrency": {"from": 1, "to": 4 * self.slots, "factor": 1.6}, "duration_s": 5, "warmup_s": 1}
        return spec(self.model, load={"sweep": points})

    @property
    def search(self) -> Json:
        search = {"start": 4, "max": 64, "warmup_s": 1, "sustain_s": 5}
        return spec(self.model, load={"search": search}, slos={"ttft_ms": self._slo_ms})
