"""Datasets and traces from the upload to the results, with API, worker and simulator."""

from itertools import pairwise
from typing import Any

import pytest

from tests.support.dates import instant
from tests.support.service import Service


async def stored(service: Service, content: bytes, file_format: str) -> int:
    query, headers = {"name": "x", "format": file_format}, {"content-type": "application/x-ndjson"}
    response = await service.client.post("/datasets", params=query, content=content, headers=headers)
    assert response.status_code == 201, response.text
    number: int = response.json()["id"]
    return number


async def test_turns_of_a_conversation_wait_for_the_answer_before_and_carry_it(service: Service) -> None:
    talk = b'{"turns": ["one", {"text": "two", "max_tokens": 2, "think_s": 0.2}, "three"]}\n{"prompt": "alone"}\n'
    workload: dict[str, Any] = {"source": "dataset", "dataset": {"id": await stored(service, talk, "jsonl")}}
    done = await service.run(workload=workload, load={"concurrency": 2})
    assert (done["status"], done["progress"]["total"], done["progress"]["done"]) == ("completed", None, 4)
    results = sorted(done["results"], key=lambda result: result["prompt_index"])
    assert [result["outcome"] for result in results] == ["succeeded"] * 4
    first, second, third, _ = results
    for earlier, later in pairwise((first, second, third)):
        assert instant(later["sent_at"]) >= instant(earlier["ended_at"])
        assert later["input_tokens"] > earlier["input_tokens"]
    assert (instant(second["sent_at"]) - instant(first["ended_at"])).total_seconds() >= 0.2
    assert second["output_tokens"] == 2


async def test_a_trace_is_sent_at_its_times_with_its_lengths(service: Service) -> None:
    lines = [(0, 700, 3), (300, 20, 2), (300, 20, 4)]
    content = "\n".join(
        f'{{"timestamp": {at}, "input_length": {given}, "output_length": {wanted}}}' for at, given, wanted in lines
    )
    trace = {"id": await stored(service, content.encode(), "mooncake"), "time_scale": 2.0}
    done = await service.run(model="sim-ttft5-gap1-n9", workload={"source": "trace", "trace": trace})
    assert (done["status"], done["progress"]["total"]) == ("completed", 3)
    results = sorted(done["results"], key=lambda result: result["prompt_index"])
    assert [result["output_tokens"] for result in results] == [3, 2, 4]
    assert results[0]["input_tokens"] > 10 * results[1]["input_tokens"]
    begin = instant(results[0]["scheduled_at"])
    assert [round((instant(result["scheduled_at"]) - begin).total_seconds(), 3) for result in results] == [0, 0.6, 0.6]
    # A trace is an open loop: how late requests were is known, and latency counts from when they were due.
    summary = done["summary"]
    assert summary["request_rate"]["requested"] == pytest.approx(2 / 0.6)
    assert summary["request_rate"]["lateness_ms"]["count"] == 3
    assert summary["effective_latency_ms"]["min"] >= summary["latency_ms"]["min"]
    assert summary["steady_window"] is None


async def test_a_load_ends_with_its_trace_and_says_so(service: Service) -> None:
    """The trace has three requests, and the load would send for an hour."""
    lines = "\n".join(f'{{"timestamp": {at}, "input_length": 20, "output_length": 2}}' for at in (0, 300, 600))
    workload = {"source": "trace", "trace": {"id": await stored(service, lines.encode(), "mooncake")}}
    done = await service.run(workload=workload, load={"concurrency": 2, "duration_s": 3_600})
    assert (done["status"], done["stages"][0]["ended_by"], done["progress"]["done"]) == ("completed", "workload", 3)


async def test_a_dataset_begins_again_until_the_time_of_the_load_is_over(service: Service) -> None:
    content = b'{"prompt": "one"}\n{"prompt": "two"}\n'
    workload = {"source": "dataset", "dataset": {"id": await stored(service, content, "jsonl")}}
    done = await service.run(workload=workload, load={"concurrency": 2, "duration_s": 1})
    assert (done["status"], done["stages"][0]["ended_by"]) == ("completed", "duration")
    assert done["progress"]["done"] > 2
