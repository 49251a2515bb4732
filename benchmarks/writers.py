"""How long processes that write to one SQLite file wait for each other.

    python -m benchmarks.writers [--processes 3] [--writers 8] [--pause 0.02] [--seconds 10] [--folder DIR]

Each process has so many writers, which pause for so long between two transactions, and one heartbeat every 0.2 s. It
prints its transactions and how long its heartbeats took, from the wish to write to the commit.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from shared.db.connection.database import Database

BEAT_S = 0.2


async def write(path: str, options: argparse.Namespace) -> str:
    """A line of numbers of this process."""
    database = Database(f"sqlite:///{path}")
    end = time.monotonic() + options.seconds
    waits: list[float] = []
    count = 0

    async def writes() -> None:
        nonlocal count
        while time.monotonic() < end:
            async with database.write() as session:
                await session.execute(text("INSERT INTO results (value) VALUES (1)"))
                await session.execute(text("SELECT count(*) FROM results WHERE id < 1000"))
            count += 1
            await asyncio.sleep(options.pause)

    async def beats() -> None:
        while time.monotonic() < end:
            begin = time.monotonic()
            async with database.write() as session:
                await session.execute(text("UPDATE heartbeats SET value = value + 1"))
            waits.append(time.monotonic() - begin)
            await asyncio.sleep(BEAT_S)

    await asyncio.gather(beats(), *(writes() for _ in range(options.writers)))
    await database.close()
    waits.sort()
    p50_ms, longest_ms = (1e3 * waits[place] for place in (len(waits) // 2, -1))
    return f"{count:12,}  {len(waits):10}  {p50_ms:8.0f} ms  {longest_ms:7.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.02)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--folder", help="where the database is written; default: the system's temporary folder")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(asyncio.run(write(options.child, options)), flush=True)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = str(Path(folder) / "writers.db")
        asyncio.run(_create(path))
        print("transactions  heartbeats          P50     longest", flush=True)
        command = [sys.executable, "-m", "benchmarks.writers", *sys.argv[1:], "--child", path]
        children = [subprocess.Popen(command) for _ in range(options.processes)]
        failed = [child.wait() for child in children]
    sys.exit(max(failed))


async def _create(path: str) -> None:
    database = Database(f"sqlite:///{path}")
    async with database.write() as session:
        await session.execute(text("CREATE TABLE results (id INTEGER PRIMARY KEY, value)"))
        await session.execute(text("CREATE TABLE heartbeats (value)"))
        await session.execute(text("INSERT INTO heartbeats VALUES (0)"))
    await database.close()


if __name__ == "__main__":
    main()
