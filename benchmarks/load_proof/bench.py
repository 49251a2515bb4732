"""The running product, the simulator that it sends to, and how tables are printed."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson

from benchmarks.truth import wait_for_end

Json = dict[str, Any]
PROMPTS = [f"Name {number + 1} rivers." for number in range(40)]


class Bench:
    """The running product, and the simulator that it sends to."""

    def __init__(self, client: httpx2.Client, simulator_url: str, log: Path) -> None:
        self._client = client
        self._simulator = simulator_url
        self._log = log

    def run(self, *specs: Json) -> list[Json]:
        """The benchmarks of these specs, run at the same time, once they have ended."""
        urls = []
        for spec in specs:
            posted = self._client.post("/benchmarks", json={"name": "proof", "provider": "sim", **spec})
            if posted.status_code != 202:
                raise SystemExit(f"the API refused: {posted.text}")
            urls.append(posted.headers["location"])
        documents = [wait_for_end(self._client, url) for url in urls]
        for document in documents:
            if document["status"] != "completed":
                raise SystemExit(f"benchmark {document['id']} {document['status']}: {document['error']}")
        return documents

    def curve(self, document: Json) -> Json:
        return self._get(f"/benchmarks/{document['id']}/curve")

    def results(self, document: Json) -> Iterable[Json]:
        cursor: str | None = None
        while True:
            page = self._get(
                f"/benchmarks/{document['id']}/results", limit=1_000, **({"cursor": cursor} if cursor else {})
            )
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def truth(self, model: str) -> Json:
        found: Json = httpx2.get(f"{self._simulator}/sim/truth/{model}").json()
        return found

    def seen(self, model: str) -> list[Json]:
        """What the simulator has logged of the requests for a model, by arrival."""
        lines = (orjson.loads(line) for line in self._log.read_bytes().splitlines())
        return sorted((line for line in lines if line["model"] == model), key=lambda line: line["received_ns"])

    def _get(self, path: str, **params: Any) -> Json:
        found: Json = self._client.get(path, params=params).json()
        return found


def spec(model: str, **fields: Any) -> Json:
    return {"model": model, "prompts": PROMPTS, **fields}


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def heading(title: str, *columns: str) -> None:
    print(f"\n**{title}**\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


def row(*cells: Any) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


@contextmanager
def simulator(log: Path) -> Iterator[str]:
    """Its URL. It runs in a process of its own."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--request-log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                raise SystemExit("the simulator did not start")
            yield line.strip().rpartition(" ")[2]
        finally:
            process.terminate()
