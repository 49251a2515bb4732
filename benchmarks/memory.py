"""Whether memory stays flat over a million events: resident memory of worker and measuring process along one run.

    python -m benchmarks.memory [--streams 128] [--tokens 256] [--events 1000000]

The whole product on one core, the endpoint in C (see `benchmarks.accuracy`) on another. Prints resident memory (MB) at
each tenth of the run, and by how much it grew from the second tenth, when everything is warm, to the last.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import httpx2
import orjson
import psutil

from benchmarks.truth import TruthServer, build, free_port
from cli.stack import EmbeddedStack

PROGRAMS = {"worker": "worker.main", "measuring": "worker.engine.child"}


def resident_mb() -> dict[str, float]:
    """Of each program, all its processes together."""
    found = dict.fromkeys(PROGRAMS, 0.0)
    for process in psutil.Process().children(recursive=True):
        try:
            words, memory = " ".join(process.cmdline()), process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        for name, module in PROGRAMS.items():
            if module in words:
                found[name] += memory / 1e6
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=256, help="of each request")
    parser.add_argument("--gap", type=float, default=2, help="ms between tokens")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the product, one for the endpoint")
    os.sched_setaffinity(0, {cores[0]})
    port, requests = free_port(), -(-options.events // options.tokens)
    endpoint = {"name": "truth", "protocol": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}
    os.environ["PROVIDERS"] = orjson.dumps([endpoint]).decode()
    os.environ["TIMELINE_MAX_REQUESTS"] = str(requests)
    with tempfile.TemporaryDirectory() as folder:
        server = TruthServer(
            build(Path(folder)), port=port, core=cores[1], ttft_ms=20, gap_ms=options.gap, tokens=options.tokens
        )
        with server, EmbeddedStack(data_dir=Path(folder)) as stack, httpx2.Client(base_url=stack.url) as client:
            measure(client, requests, options)


def measure(client: httpx2.Client, requests: int, options: argparse.Namespace) -> None:
    body = {
        "name": "memory",
        "provider": "truth",
        "model": "truth",
        "prompts": ["How much do you need?"],
        "repetitions": requests,
        "concurrency": options.streams,
        "parameters": {"max_tokens": options.tokens},
    }
    posted = client.post("/benchmarks", json=body)
    if posted.status_code != 202:
        raise SystemExit(f"the API refused: {posted.text}")
    url, samples = posted.headers["location"], [resident_mb()]
    print(f"{requests:,} requests of {options.tokens} tokens, {options.streams} at a time: resident memory in MB")
    print("  done " + "".join(f"{name:>12}" for name in PROGRAMS))
    while True:
        state = client.get(url, params={"include": "none"}).json()
        done = state["progress"]["done"] / requests
        while len(samples) <= done * 10:
            samples.append(resident_mb())
            print(f"{len(samples) - 1:>5}0%" + "".join(f"{samples[-1][name]:12.1f}" for name in PROGRAMS), flush=True)
        time.sleep(0.2)
        if state["status"] not in ("pending", "running"):
            break
    for name in PROGRAMS:
        print(f"{name}: {samples[-1][name] - samples[2][name]:+.1f} MB from the second tenth to the last")
    print(f"{state['status']}, grade {state['summary']['measurement']['grade']}")


if __name__ == "__main__":
    main()
