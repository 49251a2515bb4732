"""Providers that refuse, break off, hang, or never end; and clocks that are wrong."""

import asyncio
import time
from pathlib import Path

import pytest

from shared.clock import monotonic_ns
from tests.chaos.conftest import Scenario

TIMEOUTS = {"ttft_s": 3.0, "idle_s": 3.0, "total_s": 20.0, "connect_s": 5.0}

FAULTS = [
    ("err429", "rate_limited", "429 with Retry-After in seconds"),
    ("err429date", "rate_limited", "429 with Retry-After as a date"),
    ("err429hour", "rate_limited", "429 with Retry-After of an hour"),
    ("err429bare", "rate_limited", "429 without Retry-After"),
    ("err529", "overloaded", "529"),
    ("miderr2", "overloaded", "an error in mid-stream"),
    ("rst2", "truncated", "a reset in mid-stream"),
    ("fin2", "truncated", "a close in mid-stream"),
    ("hang2", "idle_timeout", "a stream that hangs"),
    ("hanghead", "ttft_timeout", "a server that does not answer"),
    ("comments", "ttft_timeout", "a stream of comments only"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_a_fault_of_the_provider(scenario: Scenario, fault: str, kind: str, words: str) -> None:
    """a provider's fault in every third request"""
    begin = time.monotonic()
    number = await scenario.submit(
        prompts=12, concurrency=3, model=f"sim-ttft30-gap10-n4-{fault}-every3", timeouts=TIMEOUTS
    )
    document = await scenario.chaos.ended(number)
    assert document["status"] == "completed", document["error"]
    assert document["summary"]["error_kinds"] == {kind: 4}
    assert document["summary"]["requests"]["succeeded"] == 8
    # Nobody waits for an hour because a provider says so.
    assert time.monotonic() - begin < 60
    await scenario.survived(words)


async def test_cancel_closes_upstream(scenario: Scenario) -> None:
    """cancel of endless streams"""
    # A busy machine may be late once; a cancel that nobody hears is late each time, by a heartbeat.
    latest_s = await _closed_after_s(scenario)
    for _ in range(2):
        if latest_s > 1:
            latest_s = await _closed_after_s(scenario)
    assert latest_s <= 1
    await scenario.survived(f"all four closed within {latest_s:.2f} s")


async def _closed_after_s(scenario: Scenario) -> float:
    """Seconds from a cancel to the end of the last of four streams."""
    before = scenario.chaos.mark()
    # Every second one is endless; once the other five have ended, all four are in flight.
    number = await scenario.submit(model="sim-ttft20-gap10-n4-endless-every2", prompts=9, concurrency=5)
    await scenario.chaos.under_way(number, 5)
    cancelled_ns = monotonic_ns()
    assert (await scenario.chaos.client.post(f"/benchmarks/{number}/cancel")).status_code == 202
    document = await scenario.chaos.ended(number)
    assert document["status"] == "cancelled"
    ended_ns = [item["ended_ns"] for item in scenario.chaos.simulator.requests(before + 9)]
    closed_ns = [at_ns for at_ns in ended_ns[before:] if at_ns > cancelled_ns]
    assert len(closed_ns) == 4
    return (max(closed_ns) - cancelled_ns) / 1e9


async def test_cancel_against_the_last_prompt(scenario: Scenario) -> None:
    """cancel against the last prompt, a hundred times"""
    ends: dict[str, int] = {}
    for batch in range(10):
        numbers = [await scenario.submit(prompts=2, concurrency=1, model="sim-ttft20-gap1-n2") for _ in range(10)]

        await asyncio.gather(
            *(_cancel(scenario, number, batch * 0.004 + turn * 0.008) for turn, number in enumerate(numbers))
        )
        for number in numbers:
            document = await scenario.chaos.ended(number)
            ends[document["status"]] = ends.get(document["status"], 0) + 1
            if document["status"] == "cancelled":
                assert document["cancel_requested_at"] is not None
    assert sum(ends.values()) == 100
    await scenario.survived(", ".join(f"{count} {status}" for status, count in sorted(ends.items())))


async def _cancel(scenario: Scenario, number: int, after_s: float) -> None:
    """So long after it was seen to run."""
    await scenario.chaos.until(number, lambda document: bool(document["status"] != "pending"))
    await asyncio.sleep(after_s)
    answer = await scenario.chaos.client.post(f"/benchmarks/{number}/cancel")
    # A cancel is accepted, or the benchmark has ended otherwise.
    assert answer.status_code in (202, 409), answer.text


def shifted_clock(hours: str) -> dict[str, str]:
    """The environment of a program whose clock is so many hours off, like `+1h`. Its monotonic clock stays."""
    import libfaketime

    path = Path(libfaketime.__file__).parent / "vendor/libfaketime/src/libfaketime.so.1"
    assert path.is_file(), "libfaketime ships no library for this platform"
    return {
        "LD_PRELOAD": str(path),
        "FAKETIME": hours,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # By default, the library shifts waits on the monotonic clock after all. Python's threads then wait wrongly for
        # each other: two busy ones take over 200 times as long, and a worker stands still while it imports an SDK.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


# SQLite's clock is that of the host, which all its programs share.
@pytest.mark.parametrize("deployment", ["postgresql"], indirect=True)
@pytest.mark.parametrize("hours", ["+1h", "-1h"])
async def test_clocks_an_hour_apart(scenario: Scenario, hours: str) -> None:
    """clocks of API and workers an hour apart"""
    chaos = scenario.chaos
    await chaos.end_workers()
    first, second = chaos.start_worker(**shifted_clock(hours)), chaos.start_worker()
    await chaos.replace_api(**shifted_clock("-1h" if hours == "+1h" else "+1h"))
    # On a busy machine, seconds pass between the first results and the kill.
    numbers = [await scenario.submit(prompts=120, max_duration_s=600) for _ in range(2)]
    await chaos.under_way(numbers[0], 3)
    victim = await chaos.worker_of(numbers[0])
    victim.kill()
    for number in numbers:
        document = await chaos.ended(number)
        assert document["status"] == "completed", document["error"]
    assert first.running or second.running
    await chaos.replace_api()
    await scenario.survived(hours)
