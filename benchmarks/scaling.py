"""Does the fleet do more with more workers? The same backlog on 1, 2 and 4 of them, and many benchmarks at once.

    python -m benchmarks.scaling [--workers 1 2 4] [--backlog 32] [--running 200]

Starts the embedded stack anew for each number of workers (separate processes, SQLite, Valkey, simulator). Each
benchmark of the backlog waits for the simulator nearly all of its time, as real ones wait for providers, so that it is
the service that is measured and not the cores. Efficiency: throughput by workers, against one worker. Then four
workers get `--running` benchmarks that do not end by themselves, and the time is shown until all of them run: a queue
that reads ahead no further than some limit would stop before.
"""

import argparse
import asyncio

import httpx2

from cli.stack import EmbeddedStack
from shared.clock import monotonic_ns

BENCHMARK = {"name": "scaling", "model": "sim-ttft450-gap10-n6", "prompts": ["x"] * 10, "concurrency": 1}
ENDLESS = {"name": "running", "model": "sim-ttft600000", "prompts": ["x"], "timeouts": {"ttft_s": 900, "total_s": 900}}
AT_ONCE = 4


async def backlog_s(url: str, count: int) -> float:
    """Seconds from the first POST to the end of the last benchmark."""
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        begin_ns = monotonic_ns()
        for _ in range(count):
            (await client.post("/benchmarks", json=BENCHMARK)).raise_for_status()
        await until(client, "completed", count)
        return (monotonic_ns() - begin_ns) / 1e9


async def all_running_s(url: str, count: int) -> float:
    """Seconds from the first POST until so many benchmarks run at the same time."""
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        begin_ns = monotonic_ns()
        numbers = [(await client.post("/benchmarks", json=ENDLESS)).json()["id"] for _ in range(count)]
        await until(client, "running", count)
        took_s = (monotonic_ns() - begin_ns) / 1e9
        for number in numbers:
            (await client.post(f"/benchmarks/{number}/cancel")).raise_for_status()
        await until(client, "cancelled", count)
        return took_s


async def until(client: httpx2.AsyncClient, status: str, count: int) -> None:
    """So many benchmarks have this status."""
    async with asyncio.timeout(600):
        while True:
            found, cursor = 0, None
            while True:
                params = {"status": status, "limit": "200"} | ({"cursor": cursor} if cursor else {})
                page = (await client.get("/benchmarks", params=params)).json()
                found, cursor = found + len(page["items"]), page["next_cursor"]
                if cursor is None:
                    break
            if found >= count:
                return
            await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4], help="sizes of the fleet")
    parser.add_argument("--backlog", type=int, default=32, help="benchmarks submitted at once")
    parser.add_argument(
        "--running", type=int, default=200, help="benchmarks that must run at the same time; 0: leave out"
    )
    options = parser.parse_args()
    print(f"{options.backlog} benchmarks of 10 requests of 0.5 s, {AT_ONCE} at once on a worker")
    print(f"{'workers':>8} {'seconds':>8} {'benchmarks/s':>13} {'efficiency':>11}")
    first: float | None = None
    for workers in options.workers:
        with EmbeddedStack(isolated=True, workers=workers, settings={"WORKER_MAX_BENCHMARKS": str(AT_ONCE)}) as stack:
            took_s = asyncio.run(backlog_s(stack.url, options.backlog))
        rate = options.backlog / took_s
        first = first or rate / workers
        print(f"{workers:>8} {took_s:>8.1f} {rate:>13.2f} {rate / workers / first:>11.0%}", flush=True)
    if options.running:
        each = -(-options.running // 4)
        with EmbeddedStack(isolated=True, workers=4, settings={"WORKER_MAX_BENCHMARKS": str(each)}) as stack:
            took_s = asyncio.run(all_running_s(stack.url, options.running))
        print(f"{options.running} benchmarks ran at the same time on 4 workers, {took_s:.1f} s after the first POST")


if __name__ == "__main__":
    main()
