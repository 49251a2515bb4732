"""How long a webhook takes from the end of a benchmark to its receiver, beside a receiver that hangs.

    python -m benchmarks.webhooks [--count 1000] [--seconds 60]

Starts the embedded stack with two workers (API, Valkey, SQLite, simulator as separate processes), registers a fast
receiver and one that answers each request after ten seconds, both in this process, and submits `--count` benchmarks
evenly over `--seconds`. The delay is from the event's timestamp (its transaction) to the request's arrival; both
are read from this machine's clock.
"""

import argparse
import asyncio
from datetime import datetime

import httpx2
import orjson

from cli.stack import EmbeddedStack
from shared.clock import monotonic_ns, wall_now
from shared.numbers.statistics import distribution

SLOW_S = 10.0
BOUND_S = 2.0
NO_CONTENT = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Receiver:
    """Keeps (event id, seconds from event to arrival) of each request."""

    def __init__(self, answer_after_s: float, count: int) -> None:
        self.delays_s: dict[str, float] = {}
        self.all_there = asyncio.Event()
        self._count = count
        self._answer_after_s = answer_after_s

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        event_id = head.partition("webhook-id: ")[2].partition("\r\n")[0]
        event = orjson.loads(await reader.readexactly(size))
        arrived = (wall_now() - datetime.fromisoformat(event["timestamp"])).total_seconds()
        self.delays_s.setdefault(event_id, arrived)
        if len(self.delays_s) == self._count:
            self.all_there.set()
        try:
            await asyncio.sleep(self._answer_after_s)
            writer.write(NO_CONTENT)
            await writer.drain()
        except (asyncio.CancelledError, ConnectionError):
            pass  # the measurement is over
        finally:
            writer.close()


async def measure(url: str, count: int, seconds: float) -> tuple[Receiver, Receiver, float]:
    """The fast receiver, the slow one, and how long submitting took, in s."""
    fast, slow = Receiver(0, count), Receiver(SLOW_S, count)
    servers = [await asyncio.start_server(item.serve, "127.0.0.1", 0) for item in (fast, slow)]
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        for server in servers:
            hook = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            (await client.post("/webhooks", json={"url": hook, "events": ["benchmark.completed"]})).raise_for_status()
        begin_ns = monotonic_ns()
        for number in range(count):
            due_s = number * seconds / count
            await asyncio.sleep(max(0.0, due_s - (monotonic_ns() - begin_ns) / 1e9))
            body = {"name": "hook", "model": "sim-ttft1-gap1-n2", "prompts": ["x"]}
            (await client.post("/benchmarks", json=body)).raise_for_status()
        took_s = (monotonic_ns() - begin_ns) / 1e9
        async with asyncio.timeout(60):
            await fast.all_there.wait()
    for server in servers:
        server.close()
    return fast, slow, took_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000, help="benchmarks to submit")
    parser.add_argument("--seconds", type=float, default=60, help="over which they are spread")
    options = parser.parse_args()
    with EmbeddedStack(isolated=True, workers=2) as stack:
        fast, slow, took_s = asyncio.run(measure(stack.url, options.count, options.seconds))
    spread = distribution(list(fast.delays_s.values()))
    print(f"{options.count} benchmarks submitted in {took_s:.1f} s")
    print(
        f"  fast receiver: {len(fast.delays_s)} events; from event to arrival p50 {spread['p50'] * 1e3:.0f} ms", end=""
    )
    print(f"   p99 {(spread['p99'] or spread['max']) * 1e3:.0f} ms   max {spread['max'] * 1e3:.0f} ms")
    print(f"  receiver that takes {SLOW_S:g} s: {len(slow.delays_s)} events meanwhile")
    print(f"  bound: p99 of the fast one {BOUND_S:g} s; ratio {(spread['p99'] or spread['max']) / BOUND_S:.2f}")


if __name__ == "__main__":
    main()
