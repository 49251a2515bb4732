"""How far the numbers that the API returns are from what the server really did.

    python -m benchmarks.accuracy [--concurrency 1,16,64,256,512,1024] [--repeats 5] [--protocol both] [--tls]

The whole product (API, worker, measuring process, Valkey, SQLite) runs on one core, an endpoint in C that logs when
it wrote each token on another; over TLS the endpoint is the simulator, with a certificate of a local CA. A benchmark is
POSTed, and each result of the API is compared with the server's log of the same request. Prints medians of the repeats
beside the bounds, and the ratio to each bound.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import orjson
import psutil
import trustme

from benchmarks.truth import Endpoint, SimulatorServer, TruthServer, build, free_port, wait_for_end
from cli.stack import EmbeddedStack

# Concurrency: TTFT P50 error, P99 error, TPOT error, all in ms.
BOUNDS = {1: (0.1, 0.5, 0.02), 16: (0.1, 0.5, 0.02), 64: (0.1, 0.5, 0.02), 256: (0.1, 0.5, 0.02)} | {
    512: (0.1, 1.0, 0.02),
    1_024: (0.1, 2.0, 0.05),
}
# The same over TLS, up to 256.
TLS_BOUNDS = dict.fromkeys((1, 16, 64, 256), (0.3, 3.0, 0.02))
DOUBTFUL_MS = 1.0
COLUMNS = (
    "protocol",
    "streams",
    "TTFT P50",
    "to bound",
    "TTFT P99",
    "to bound",
    "max",
    "arrival P99",
    "TPOT P50",
    "to bound",
    "events/s",
    "CPU engine",
    "CPU worker",
    "missed",
    "false",
    "grades",
)


@dataclass(slots=True)
class Outcome:
    """One benchmark against the truth. Errors in ms, one for each request."""

    ttft: "np.ndarray[Any, Any]"
    # Of the first token's arrival alone, apart from when the endpoint says that it took the request.
    arrival: "np.ndarray[Any, Any]"
    tpot: "np.ndarray[Any, Any]"
    flagged: "np.ndarray[Any, Any]"
    events: int
    events_per_s: float
    cpu_s: "np.ndarray[Any, Any]"
    failed: int
    measurement: dict[str, Any]

    @property
    def row(self) -> list[float]:
        wrong = np.abs(self.ttft) > DOUBTFUL_MS
        return [
            float(np.percentile(np.abs(self.ttft), 50)),
            float(np.percentile(np.abs(self.ttft), 99)),
            float(np.max(np.abs(self.ttft))),
            float(np.percentile(np.abs(self.arrival), 99)),
            float(np.percentile(np.abs(self.tpot), 50)) if len(self.tpot) else 0.0,
            self.events_per_s,
            *(self.cpu_s / self.events * 1_000),
            float(np.sum(wrong & ~self.flagged)),
            float(np.sum(~wrong & self.flagged)),
        ]


def worker_cpu_s() -> "np.ndarray[Any, Any]":
    """CPU time so far of the measuring processes, and of the worker that decodes what they send."""
    total = np.zeros(2)
    for process in psutil.Process().children(recursive=True):
        try:
            words = " ".join(process.cmdline())
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        for number, name in enumerate(("worker.engine.child", "worker.main")):
            if name in words:
                total[number] += times.user + times.system
    return total


def measure(
    client: httpx2.Client, server: Endpoint, protocol: str, *, concurrency: int, requests: int, tokens: int
) -> Outcome:
    body = {
        "name": f"accuracy {protocol} {concurrency}",
        "provider": f"truth-{protocol}",
        "model": "truth",
        "prompts": ["How late is it?"],
        "repetitions": requests,
        "concurrency": concurrency,
        "parameters": {"max_tokens": tokens},
    }
    with server:
        cpu_s = worker_cpu_s()
        posted = client.post("/benchmarks", json=body)
        if posted.status_code != 202:
            raise SystemExit(f"the API refused: {posted.text}")
        url = posted.headers["location"]
        state = wait_for_end(client, url)
        cpu_s = worker_cpu_s() - cpu_s
    results = list(all_results(client, url))
    ttft, arrived, tpot, flagged = [], [], [], []
    for result in results:
        if result["outcome"] != "succeeded":
            continue
        truth = server.requests[int(result["provider_request_id"].rpartition("_")[2].rpartition("-")[2])]
        ttft.append(result["ttft_ms"] - truth.ttft_ms)
        sent_ms = datetime.fromisoformat(result["sent_at"]).timestamp() * 1_000
        arrived.append(sent_ms + result["ttft_ms"] - truth.first_ns / 1e6)
        if truth.tpot_ms is not None and result["tpot_ms"] is not None:
            tpot.append(result["tpot_ms"] - truth.tpot_ms)
        flagged.append("ttft_doubtful" in result["flags"])
    truths = server.requests.values()
    events = sum(truth.content_events for truth in truths)
    return Outcome(
        np.array(ttft),
        # Dates and the endpoint's stamps are of two clocks, a constant apart.
        np.array(arrived) - np.median(arrived),
        np.array(tpot),
        np.array(flagged),
        events,
        events / (max(truth.last_ns for truth in truths) - min(truth.first_ns for truth in truths)) * 1e9,
        cpu_s,
        len(results) - len(ttft),
        state["summary"]["measurement"],
    )


def all_results(client: httpx2.Client, url: str) -> Iterable[dict[str, Any]]:
    after: str | None = None
    while True:
        page = client.get(f"{url}/results", params={"limit": 1_000, **({"cursor": after} if after else {})}).json()
        yield from page["items"]
        after = page.get("next_cursor")
        if not after:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", default="1,16,64,256,512,1024", help="loads, with commas between")
    parser.add_argument("--protocol", choices=("openai", "anthropic", "both"), default="both")
    parser.add_argument("--repeats", type=int, default=5, help="benchmarks of each kind; the table has their medians")
    parser.add_argument("--ttft", type=float, default=200, help="ms")
    parser.add_argument("--gap", type=float, default=20, help="ms between tokens")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument(
        "--waves",
        type=int,
        default=1,
        help="requests of each stream in lock-step. After the first wave the endpoint reads requests late, behind its "
        "own last writes, and its log with them: its truth about TTFT is then worse than the product's",
    )
    parser.add_argument(
        "--endpoint",
        choices=("truthserver", "simulator"),
        default=None,
        help="who keeps the truth (simulator with --tls)",
    )
    parser.add_argument("--tls", action="store_true", help="speak TLS with the endpoint")
    parser.add_argument("--logs", type=Path, default=None, help="keep the stack's logs here")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the product, one for the endpoint")
    protocols = ("openai", "anthropic") if options.protocol == "both" else (options.protocol,)
    os.sched_setaffinity(0, {cores[0]})
    port = free_port()
    url = f"{'https' if options.tls else 'http'}://127.0.0.1:{port}"
    os.environ["PROVIDERS"] = orjson.dumps(
        [
            {"name": "truth-openai", "protocol": "openai", "base_url": f"{url}/v1"},
            {"name": "truth-anthropic", "protocol": "anthropic", "base_url": url},
        ]
    ).decode()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        endpoint = choose_endpoint(options, folder, port, cores[1])
        with (
            EmbeddedStack(data_dir=folder, log_dir=options.logs) as stack,
            httpx2.Client(base_url=stack.url, timeout=120) as client,
        ):
            print(
                f"TTFT {options.ttft:g} ms, gap {options.gap:g} ms, {options.tokens} tokens, {options.waves} wave(s); "
                f"medians of {options.repeats}{', over TLS' if options.tls else ''}.\n"
                "The product on one core, the endpoint on another. |Error| in ms of "
                "what the API returns, and its ratio to the bound; arrival: that "
                "of the first token alone;\nCPU in s per 1,000 events; missed: requests off by "
                "more than 1 ms that carry no flag, false: flagged ones that are not."
            )
            show(*COLUMNS)
            for protocol in protocols:
                for concurrency in map(int, options.concurrency.split(",")):
                    row(client, endpoint, protocol, concurrency, options)


def choose_endpoint(options: argparse.Namespace, folder: Path, port: int, core: int) -> Callable[[], Endpoint]:
    """Makes an endpoint for each benchmark."""
    setting = {"port": port, "core": core, "ttft_ms": options.ttft, "gap_ms": options.gap, "tokens": options.tokens}
    if options.tls:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(folder / "ca.pem")
        ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        os.environ["SSL_CERT_FILE"] = str(folder / "ca.pem")
        return partial(SimulatorServer, **setting, certificate=folder / "server.pem")
    if options.endpoint == "simulator":
        return partial(SimulatorServer, **setting)
    return partial(TruthServer, build(folder), **setting)


def row(
    client: httpx2.Client,
    endpoint: Callable[[], Endpoint],
    protocol: str,
    concurrency: int,
    options: argparse.Namespace,
) -> None:
    requests = max(options.waves * concurrency, 10)
    outcomes = [
        measure(client, endpoint(), protocol, concurrency=concurrency, requests=requests, tokens=options.tokens)
        for _ in range(options.repeats)
    ]
    p50, p99, most, arrival, tpot, rate, engine_cpu, worker_cpu, missed, false = np.median(
        [outcome.row for outcome in outcomes], axis=0
    )
    bound_p50, bound_p99, bound_tpot = (TLS_BOUNDS if options.tls else BOUNDS).get(concurrency, (np.nan,) * 3)
    show(
        protocol,
        f"{concurrency:,}",
        f"{p50:.3f}",
        f"{p50 / bound_p50:.2f}",
        f"{p99:.3f}",
        f"{p99 / bound_p99:.2f}",
        f"{most:.2f}",
        f"{arrival:.3f}",
        f"{tpot:.4f}",
        f"{tpot / bound_tpot:.2f}",
        f"{rate:,.0f}",
        f"{engine_cpu:.4f}",
        f"{worker_cpu:.4f}",
        f"{missed:.0f}",
        f"{false:.0f}",
        "".join(outcome.measurement["grade"] for outcome in outcomes),
    )
    for reason in sorted({reason for outcome in outcomes for reason in outcome.measurement["reasons"]}):
        print(f"    {reason}")
    if failed := sum(outcome.failed for outcome in outcomes):
        print(f"    {failed} requests failed")


def show(*cells: str) -> None:
    print("  ".join(f"{cell:>{max(9, len(name))}}" for cell, name in zip(cells, COLUMNS, strict=True)), flush=True)


if __name__ == "__main__":
    main()
