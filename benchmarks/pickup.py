"""How long a submitted benchmark waits: from just before POST to the first byte sent to the provider.

    python -m benchmarks.pickup [--count 40] [--use-environment]

Starts the embedded stack (API, one worker, Valkey, SQLite, simulator as separate processes) and submits one
benchmark after the other to the idle stack. `--use-environment` takes DATABASE_URL and REDIS_URL from the
environment. Both ends are read from this machine's clock: ours before the POST, the worker's `sent_at`.
"""

import argparse
from datetime import datetime

import httpx2

from cli.stack import EmbeddedStack
from shared.clock import wall_now
from shared.numbers.statistics import distribution

BOUND_MS = 50


def pickup_ms(client: httpx2.Client) -> tuple[float, float]:
    """(POST to first byte sent, POST to its answer) of one benchmark, in ms."""
    body = {"name": "pickup", "model": "sim-ttft1-gap1-n2", "prompts": ["x"]}
    before = wall_now()
    posted = client.post("/benchmarks", json=body)
    answered = wall_now()
    posted.raise_for_status()
    url = posted.headers["location"]
    while True:
        document = client.get(url).json()
        if document["status"] not in ("pending", "running"):
            break
    sent_at = datetime.fromisoformat(document["results"][0]["sent_at"])
    return (sent_at - before).total_seconds() * 1e3, (answered - before).total_seconds() * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40, help="benchmarks to submit")
    parser.add_argument("--use-environment", action="store_true", help="use DATABASE_URL and REDIS_URL where set")
    options = parser.parse_args()
    with (
        EmbeddedStack(isolated=not options.use_environment) as stack,
        httpx2.Client(base_url=stack.url, timeout=30) as client,
    ):
        pickup_ms(client)  # the first request of a process is not what an idle stack does
        measured = [pickup_ms(client) for _ in range(options.count)]
        database = stack.database_url.split(":", 1)[0]
    print(f"{options.count} benchmarks, one after the other, {database}")
    for name, values in (
        ("POST to first byte sent", [item[0] for item in measured]),
        ("POST to its answer", [item[1] for item in measured]),
    ):
        spread = distribution(values)
        print(f"  {name:24} p50 {spread['p50']:6.1f} ms   p90 {spread['p90']:6.1f} ms   max {spread['max']:6.1f} ms")
    median = distribution([item[0] for item in measured])["p50"]
    print(f"  bound: p50 of the first {BOUND_MS} ms; ratio {median / BOUND_MS:.2f}")


if __name__ == "__main__":
    main()
