"""Reads the whole history of benchmarks after a fault, and says what is wrong with it."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import orjson

from shared.benchmark.status import TERMINAL
from tests.chaos.stack import Chaos, Json
from tests.support.dates import instant
from tests.support.waiting import PATIENCE_S

# A status that nobody saw may have been in between.
LEGAL = {"pending": ("running", *TERMINAL), "running": TERMINAL}
# Requests whose result says that they never reached the server.
UNSENT = ("connect_error", "connect_timeout", "tls_error")


@dataclass
class Account:
    """What one fault cost: sums over the benchmarks of a scenario."""

    results: int = 0
    seen: int = 0
    possible_duplicates: int = 0

    @property
    def duplicates(self) -> int:
        """Requests that the simulator saw beyond those that have a result."""
        return self.seen - self.results


async def check(chaos: Chaos, numbers: list[int], since: int, *, planned: dict[int, int]) -> Account:
    """Holds every promise against the stored history. `since`: requests that the simulator had seen before."""
    account = Account()
    for number in numbers:
        document = await chaos.ended(number)
        results = await results_of(chaos, number)
        _check_one(document, results, planned[number])
        account.results += sum(1 for item in results if not _unsent(item))
        account.possible_duplicates += (
            document["summary"]["possible_duplicates"]["requests"] if document["summary"] else 0
        )
        _check_path(chaos.seen[number])
        await _check_events(chaos, document)
    account.seen = len(chaos.simulator.requests(since + account.results)) - since
    assert account.results <= account.seen, "a result without a request"
    assert account.duplicates <= account.possible_duplicates, "a request that nobody accounts for"
    return account


async def check_again(chaos: Chaos, before: dict[int, Json]) -> None:
    """What has ended is as it was then."""
    for number, document in before.items():
        assert await chaos.read(number) == document


async def results_of(chaos: Chaos, number: int) -> list[Json]:
    items: list[Json] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = (await chaos.client.get(f"/benchmarks/{number}/results", params=params)).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def _check_one(document: Json, results: list[Json], planned: int) -> None:
    status, summary, progress = document["status"], document["summary"], document["progress"]
    slots = [(item["prompt_index"], item["repetition"]) for item in results]
    assert status in TERMINAL
    assert len(slots) == len(set(slots)), "two results of one request"
    assert len(slots) <= planned
    if status == "completed":
        assert len(slots) == planned, "completed without all results"
    assert (progress["done"], progress["total"]) == (len(slots), None if _has_turns(document) else planned)
    assert progress["errors"] == sum(item["outcome"] != "succeeded" for item in results)
    created, started, completed = (
        instant(document[name] or document["completed_at"]) for name in ("created_at", "started_at", "completed_at")
    )
    assert created <= started <= completed
    if summary is None:
        return
    counts = summary["requests"]
    assert sum(counts[name] for name in ("succeeded", "errored", "timed_out", "cancelled", "truncated")) == len(slots)
    costs = [Decimal(str(item["cost_usd"])) for item in results if item["cost_usd"] is not None]
    total = summary["cost"]["total_usd"]
    assert (Decimal(str(total)) if total is not None else Decimal(0)) == sum(costs, Decimal(0)), "costs do not add up"
    flagged = sum("possible_duplicate" in item["flags"] for item in results)
    assert flagged <= summary["possible_duplicates"]["requests"]
    segments = document["segments"]
    assert sum(segment["results"] for segment in segments) == len(slots)
    renewed = sum("connection_renewed" in item["flags"] for item in results)
    unanswered = sum(segment["possible_duplicates"] for segment in segments)
    assert unanswered + renewed == summary["possible_duplicates"]["requests"]
    assert all(segment["ended_by"] in ("crashed", "released") for segment in segments[:-1])
    assert all(instant(first["ended_at"]) <= instant(second["started_at"]) for first, second in pairwise(segments))
    # Who takes one over that is to be cancelled or to fail at once, or whose results are all there, sends nothing, and
    # has no part of its own.
    kind = document["error"]["kind"] if document["error"] is not None else None
    had_no_part = bool(segments) and segments[-1]["ended_by"] in ("crashed", "released")
    assert not had_no_part or status in ("cancelled", "completed") or kind in ("crash_loop", "interrupted")
    assert document["interrupted"] == (len(segments) + had_no_part > 1)
    if segments and document["error"] is None and not had_no_part:
        assert segments[-1]["ended_by"] == status


def _has_turns(document: Json) -> bool:
    """Whether it sends conversations. How many turns they will have is not known: a turn that fails is the last."""
    dataset = (document["workload"] or {}).get("dataset")
    return dataset is not None and dataset["turns"] > dataset["rows"]


def _check_path(seen: list[str]) -> None:
    for before, after in pairwise(seen):
        assert after in LEGAL.get(before, ()), seen


async def _check_events(chaos: Chaos, document: Json) -> None:
    """One event for each transition, however often it was sent, and none of another status."""
    expected = {f"benchmark.{document['status']}"} | ({"benchmark.started"} if document["started_at"] else set())
    async with asyncio.timeout(PATIENCE_S):
        while set(events := _events(chaos, document["id"])) != expected:
            await asyncio.sleep(0.1)
    assert all(len(ids) == 1 for ids in events.values()), events


def _events(chaos: Chaos, number: int) -> dict[str, set[str]]:
    """Type → the ids under which it came. Every one has the library's signature."""
    found: dict[str, set[str]] = {}
    for request in chaos.hooks.received:
        event = orjson.loads(request.body)
        if event["data"].get("id") == number:
            assert request.signed_with(chaos.hooks_secret)
            found.setdefault(event["type"], set()).add(request.headers["webhook-id"])
    return found


def _unsent(result: Json) -> bool:
    return result["error"] is not None and result["error"]["kind"] in UNSENT
