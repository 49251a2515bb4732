"""A real `llmbench up` in a folder of its own, and the benchmarks that tests look at. All through the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from tests.support.programs.llmbench import llmbench
from tests.support.waiting import PATIENCE_S, wait_until

LONG_NAME = "Nightly regression of the summarisation prompts against the new endpoint, " * 3


@dataclass
class Stack:
    """`ids`: the sample benchmarks by what they are."""

    url: str
    client: httpx2.Client
    ids: dict[str, int] = field(default_factory=dict)

    def run(self, *, wait: bool = True, **body: Any) -> int:
        """Submits a benchmark; its id, after its end if `wait`."""
        headers = {"Prefer": f"wait={PATIENCE_S:g}"} if wait else {}
        answer = self.client.post("/benchmarks", json={"name": "sample", **body}, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        number: int = answer.json()["id"]
        return number

    def has_ended(self, number: int) -> bool:
        answer = self.client.get(f"/benchmarks/{number}", params={"include": "none"})
        return answer.raise_for_status().json()["status"] not in ("pending", "running")


@contextmanager
def stack(folder: Path, **environment: str) -> Iterator[Stack]:
    """An empty one."""
    with llmbench(folder, "up", "--port", "0", **environment) as up:
        url = up.wait_for_url()
        with httpx2.Client(base_url=url, timeout=PATIENCE_S) as client:
            yield Stack(url, client)


def add_samples(made: Stack) -> None:
    """A run of each kind: steady, slower, with errors, cancelled, of one request, of a sweep, with odd names."""
    prompts = ["Name a river.", "Explain in two sentences how a heat pump works. " * 4, "Summarise this. " * 60]
    steady = {"prompts": prompts, "repetitions": 12, "concurrency": 4}
    quick = {"prompts": prompts[:1], "repetitions": 2}
    kinds: dict[str, dict[str, Any]] = {
        "steady": {"name": "Steady", "model": "sim-ttft20-gap2-n12-jit2-prefill20", **steady},
        "again": {"name": "Steady again", "model": "sim-ttft20-gap2-n12-jit2-prefill20", **steady},
        "slower": {"name": "Slower", "model": "sim-ttft30-gap2-n12-jit2-prefill20", **steady},
        "errors": {"name": "With errors", "model": "sim-ttft10-gap1-n8-err500-every5", **steady},
        "failed": {"name": "Failed", "model": "sim-err401", **quick},
        "one": {"name": "One request", "model": "sim-ttft5-gap1-n4", "prompts": ["Name a lake."]},
        "long_name": {"name": LONG_NAME[:200], "model": "sim-ttft5-gap1-n4", **quick},
        "scripts": {"name": "模型延迟测试 · اختبار زمن الاستجابة · 🚀🦙", "model": "sim-ttft5-gap1-n4-utf8", **quick},
        "sweep": {
            "name": "Sweep",
            "model": "sim-slots4-ttft10-gap1-n15",
            "prompts": prompts[:1],
            "load": {"sweep": {"concurrency": [1, 2, 4, 8], "duration_s": 1}},
            "slos": {"ttft_ms": 60},
        },
    }
    made.ids |= {name: made.run(wait=False, **body) for name, body in kinds.items()}
    made.ids["cancelled"] = made.run(name="Cancelled", model="sim-ttft60000", prompts=["x"], wait=False)
    made.client.post(f"/benchmarks/{made.ids['cancelled']}/cancel").raise_for_status()
    for number in made.ids.values():
        wait_until(partial(made.has_ended, number))
    # Nobody listens there, so its deliveries fail.
    webhook = made.client.post("/webhooks", json={"url": "http://127.0.0.1:9/hook", "description": "Nobody listens"})
    made.ids["webhook"] = webhook.raise_for_status().json()["id"]
    made.client.post(f"/webhooks/{made.ids['webhook']}/test").raise_for_status()
