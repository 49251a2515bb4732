"""One trace from the client's POST to each request at the provider, over real processes and a real collector."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from cli.stack import EmbeddedStack
from tests.support.programs.deployment import simulator_process
from tests.support.programs.ports import free_port
from tests.support.servers.otlp import Collected, Collector, collector
from tests.support.waiting import PATIENCE_S, wait_until

TRACE, TAKEN_OVER = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
PARENT = "00f067aa0ba902b7"
# What the run that is taken over sends.
COUNT = 40
CHAT = "chat sim-ttft150-gap10-n4"
PROMPT = "a prompt that is nobody's business"


@pytest.fixture
def collected() -> Iterator[Collector]:
    with collector() as running:
        yield running


@pytest.fixture
def stack(
    collected: Collector, database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmbeddedStack]:
    with simulator_process(tmp_path) as simulator:
        for name, value in (
            ("DATABASE_URL", database_url),
            ("REDIS_URL", redis_url),
            ("SIMULATOR_URL", simulator.url),
            ("SWEEP_S", "1"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret-of-the-collector"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
            # As compose passes on what is not set.
            ("OTEL_TRACES_SAMPLER", ""),
        ):
            monkeypatch.setenv(name, value)
        with EmbeddedStack(port=free_port(), workers=2, log_dir=tmp_path, start_s=PATIENCE_S) as running:
            yield running


def submit(client: httpx2.Client, trace: str, **spec: Any) -> str:
    document = {"name": "traced", "model": "sim-ttft150-gap10-n4", "concurrency": 2, **spec}
    response = client.post("/benchmarks", json=document, headers={"traceparent": f"00-{trace}-{PARENT}-01"})
    assert response.status_code == 202, response.text
    location: str = response.headers["location"]
    return location


def until(client: httpx2.Client, url: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The benchmark, once that is true of it."""

    def look() -> dict[str, Any] | None:
        document: dict[str, Any] = client.get(url).json()
        return document if holds(document) else None

    return wait_until(look) or {}


def ended(document: dict[str, Any]) -> bool:
    return document["status"] in ("completed", "failed")


# That a claim has the trace of its submission is tested on both databases.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_one_trace_from_post_to_provider(stack: EmbeddedStack, collected: Collector, tmp_path: Path) -> None:
    """Of a run by one worker, and of one that a second worker takes over."""
    with httpx2.Client(base_url=stack.url, timeout=PATIENCE_S) as client:
        document = until(client, submit(client, TRACE, prompts=[PROMPT] * 4), ended)
        client.get("/health")
        results = client.get(f"/benchmarks/{document['id']}/results").json()["items"]
        leaver = run_over_two_workers(client)
    # Ending, the programs send what they have left.
    stack.close()

    check_one_run(collected, document, results)
    check_takeover(collected, leaver)
    assert collected.named("GET /benchmarks/{benchmark_id}")
    assert not [span for span in collected.spans if "health" in span.name or "ready" in span.name]
    assert {headers["authorization"] for headers in collected.headers} == {"Bearer secret-of-the-collector"}
    for secret in (PROMPT, "secret-of-the-collector"):
        assert secret.encode() not in collected.raw
        assert not [path for path in tmp_path.glob("*.log") if secret in path.read_text()]
    logged = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert TRACE in logged


def run_over_two_workers(client: httpx2.Client) -> str:
    """Stops the worker in the middle of its run. Answers with its id when another one has ended the run."""
    url = submit(client, TAKEN_OVER, prompts=[PROMPT] * COUNT)
    until(client, url, lambda document: document["progress"]["done"] > 2)
    leaver: str = client.get(url).json()["segments"][0]["worker_id"]
    (pid,) = [worker["pid"] for worker in client.get("/workers").json()["items"] if worker["id"] == leaver]
    os.kill(pid, signal.SIGTERM)
    until(client, url, ended)
    return leaver


def spans(collected: Collector, trace: str, name: str) -> list[Collected]:
    return [span for span in collected.named(name) if span.trace_id == trace]


def check_one_run(collected: Collector, document: dict[str, Any], results: list[dict[str, Any]]) -> None:
    (post,) = spans(collected, TRACE, "POST /benchmarks")
    assert post.parent_id == PARENT
    assert post.service == "llmbench-api"
    assert post.attributes["http.response.status_code"] == 202
    (enqueued,) = spans(collected, TRACE, "enqueue benchmark")
    assert (enqueued.parent_id, enqueued.kind) == (post.span_id, Span.SPAN_KIND_PRODUCER)
    (ran,) = spans(collected, TRACE, "run benchmark")
    assert (ran.parent_id, ran.kind) == (enqueued.span_id, Span.SPAN_KIND_CONSUMER)
    assert ran.service == "llmbench-worker"
    assert ran.attributes["llmbench.benchmark.id"] == document["id"]
    assert ran.attributes["llmbench.status"] == "completed"
    assert not ran.failed

    chats = spans(collected, TRACE, CHAT)
    assert {(chat.parent_id, chat.kind) for chat in chats} == {(ran.span_id, Span.SPAN_KIND_CLIENT)}
    # Results are listed as they ended, which two at a time do in any order.
    result_of = {result["prompt_index"]: result for result in results}
    assert sorted(chat.attributes["llmbench.prompt_index"] for chat in chats) == sorted(result_of) == [0, 1, 2, 3]
    for chat in chats:
        result = result_of[chat.attributes["llmbench.prompt_index"]]
        assert (chat.end_ns - chat.start_ns) / 1e6 == pytest.approx(result["latency_ms"], abs=0.001)
        assert (chat.events["first token"] - chat.start_ns) / 1e6 == pytest.approx(result["ttft_ms"], abs=0.001)
        assert chat.attributes["gen_ai.usage.output_tokens"] == result["output_tokens"]
        assert ran.start_ns < chat.start_ns < chat.end_ns < ran.end_ns


def check_takeover(collected: Collector, leaver: str) -> None:
    (enqueued,) = spans(collected, TAKEN_OVER, "enqueue benchmark")
    first, second = sorted(spans(collected, TAKEN_OVER, "run benchmark"), key=lambda span: span.start_ns)
    assert [first.attributes["llmbench.status"], second.attributes["llmbench.status"]] == ["released", "completed"]
    assert first.attributes["llmbench.worker.id"] == leaver != second.attributes["llmbench.worker.id"]
    assert first.parent_id == second.parent_id == enqueued.span_id
    chats = spans(collected, TAKEN_OVER, CHAT)
    assert len(chats) == COUNT
    assert {chat.parent_id for chat in chats} == {first.span_id, second.span_id}
