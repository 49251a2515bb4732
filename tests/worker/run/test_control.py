"""A benchmark from POST to its end, over API, database, Redis, worker and real HTTP streams."""

from itertools import islice
from statistics import median
from typing import Literal

import pytest

from shared.benchmark.load.pace import PoissonRate
from shared.numbers.formulas import RequestFacts
from shared.numbers.metrics import compute
from shared.numbers.rounding import rounded
from shared.numbers.timeline import EventKind, TimelineEvent
from shared.protocols.registry import PROTOCOLS
from shared.providers.built_in import simulator_endpoints
from shared.providers.endpoints import Endpoint
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.dates import instant
from tests.support.flags import OF_READS
from tests.support.service import Service, running_service
from worker.engine.children import Children

KEY = "sk-test-0123456789abcdef"


async def test_a_benchmark_gives_one_result_for_each_prompt_and_repetition(service: Service) -> None:
    done = await service.run(prompts=["one", "two", "three"], repetitions=2, concurrency=2)
    assert done["status"] == "completed"
    assert [(item["prompt"], item["repetition"]) for item in done["results"]] == [
        (prompt, repetition) for repetition in (0, 1) for prompt in ("one", "two", "three")
    ]
    assert {item["outcome"] for item in done["results"]} == {"succeeded"}
    assert done["progress"]["done"] == done["progress"]["total"] == 6
    created, started, completed = (instant(done[name]) for name in ("created_at", "started_at", "completed_at"))
    assert created <= started <= completed


async def test_prompts_run_at_the_same_time_where_nothing_else_is_asked_for(service: Service) -> None:
    done = await service.run(model="sim-ttft300-gap1-n4", prompts=["x"] * 9)
    assert done["concurrency"] == 8
    concurrency = done["summary"]["concurrency"]
    assert (concurrency["requested"], concurrency["peak"]) == (8, 8)
    assert 1 < concurrency["mean"] < 8


async def test_the_numbers_agree_with_the_simulator(service: Service, simulator: Simulator) -> None:
    done = await service.run(model="sim-ttft150-gap20-n11", prompts=["x"] * 5, concurrency=1)
    off_ms: dict[str, list[float]] = {"ttft_ms": [], "tpot_ms": []}
    for result, request in zip(done["results"], simulator.requests, strict=True):
        assert result["ttft_ms"] >= 150
        assert result["output_tokens"] == 11
        assert result["input_tokens"] == 1
        assert request.first_content_ns is not None
        assert request.last_content_ns is not None
        # What it did, not what it was told: a busy machine makes it late.
        off_ms["ttft_ms"].append(result["ttft_ms"] - (request.first_content_ns - request.received_ns) / 1e6)
        # A machine that is very busy makes a burst of an answer, which has no speed.
        if "buffered" not in result["flags"]:
            truth_ms = (request.last_content_ns - request.first_content_ns) / 10 / 1e6
            off_ms["tpot_ms"].append(result["tpot_ms"] - truth_ms)
    assert abs(median(off_ms["ttft_ms"])) < 10
    assert abs(median(off_ms["tpot_ms"])) < 1


async def test_a_prompt_is_sent_as_it_was_written(service: Service, simulator: Simulator) -> None:
    prompt = {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Bye"},
        ],
        "parameters": {"temperature": 0.5, "max_tokens": 3},
    }
    done = await service.run(
        prompts=[prompt, "plain"],
        system="Be kind.",
        parameters={"stop": ["###"], "temperature": 1, "top_p": 0.9},
        concurrency=1,
    )
    own, plain = (request.body for request in simulator.requests)
    assert [message["content"] for message in own["messages"]] == ["Hi", "Hello", "Bye"]
    assert (own["system"], own["temperature"], own["max_tokens"], own["stop_sequences"]) == (
        "Be brief.",
        0.5,
        3,
        ["###"],
    )
    assert (plain["system"], plain["temperature"], plain["max_tokens"], plain["top_p"]) == ("Be kind.", 1, 1024, 0.9)
    assert done["results"][0]["prompt"] == "Bye"
    assert done["results"][0]["finish_reason"] == "max_tokens"
    assert done["parameters"]["max_tokens"] == 1024


async def test_every_protocol_gives_the_same_story(service: Service) -> None:
    stories = []
    for endpoint in simulator_endpoints("http://127.0.0.1"):
        done = await service.run(provider=endpoint.name, model="sim-ttft5-gap1-n4", prompts=["same"])
        (result,) = done["results"]
        told = [result[name] for name in ("response", "input_tokens", "output_tokens", "outcome")]
        # A machine that is busy may read the whole answer at once.
        stories.append([*told, set(result["flags"]) - OF_READS - {"buffered"}])
    assert stories == [stories[0]] * len(PROTOCOLS)


@pytest.mark.parametrize("transport", ["auto", "sdk"])
async def test_a_conversation_reaches_the_responses_api_as_items(
    database_url: str, redis_url: str, simulator: Simulator, transport: Literal["auto", "sdk"], children: Children
) -> None:
    endpoint = Endpoint(
        name="responses",
        protocol="openai-responses",
        base_url=f"{simulator.base_url}/v1",
        transport=transport,
    )
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")]
    messages = [{"role": role, "content": content} for role, content in turns]
    prompt = {"system": "Be brief.", "messages": messages, "parameters": {"max_tokens": 16, "reasoning_effort": "low"}}
    async with running_service(database_url, redis_url, None, children=children, providers=(endpoint,)) as service:
        done = await service.run(provider="responses", model="sim-ttft20-gap10-n20-think4", prompts=[prompt])
    (result,), (request,) = done["results"], simulator.requests
    assert request.body == {
        "model": "sim-ttft20-gap10-n20-think4",
        "input": [{"type": "message", **message} for message in messages],
        "instructions": "Be brief.",
        "stream": True,
        "store": False,
        "max_output_tokens": 16,
        "reasoning": {"effort": "low"},
    }
    assert (result["outcome"], result["output_tokens"], result["reasoning_tokens"]) == ("succeeded", 16, 4)
    assert result["finish_reason"] == "max_output_tokens"
    assert "cut_by_max_tokens" in result["flags"]
    assert (result["reasoning"], len(result["response"].split())) == ("First I restate the ", 12)
    # A busy machine may read the whole answer at once.
    assert result["tokens_per_second"] is not None or "buffered" in result["flags"]


async def test_cost_is_usage_at_the_price_stored_with_the_run(service: Service) -> None:
    done = await service.run(model="claude-3-haiku-20240307", prompts=["Say hello in exactly 3 words"])
    (result,) = done["results"]
    assert done["price"]["input_usd_per_mtok"] == 0.25
    assert done["price"]["output_usd_per_mtok"] == 1.25
    expected = (result["input_tokens"] * 0.25 + result["output_tokens"] * 1.25) / 1e6
    assert result["cost_usd"] == pytest.approx(expected, abs=1e-12)
    assert done["summary"]["cost"]["total_usd"] == pytest.approx(expected, abs=1e-12)
    assert done["progress"]["cost_usd"] == pytest.approx(expected, abs=1e-12)


async def test_a_model_that_nobody_priced_has_no_cost(service: Service) -> None:
    done = await service.run(prompts=["x", "y"])
    assert done["price"] is None
    assert [item["cost_usd"] for item in done["results"]] == [None, None]
    assert done["summary"]["cost"]["total_usd"] is None
    assert done["summary"]["cost"]["unpriced_requests"] == 2


async def test_the_simulator_in_place_of_a_provider_is_said(service: Service) -> None:
    done = await service.run(model="claude-3-haiku-20240307", prompts=["x"])
    assert done["provider"] == "simulator"
    assert "simulator answered" in done["notices"][0]


async def test_a_configured_price_replaces_the_list(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    endpoint = {
        "name": "mine",
        "protocol": "openai",
        "base_url": f"{simulator.base_url}/v1",
        "prices": {"input_usd_per_mtok": "1", "output_usd_per_mtok": "10"},
    }
    async with running_service(database_url, redis_url, None, children=children, providers=[endpoint]) as service:
        done = await service.run(provider="mine", prompts=["four"])
    assert done["results"][0]["cost_usd"] == pytest.approx((1 * 1 + 4 * 10) / 1e6)
    assert done["price"]["source"] == "configured"


async def test_warm_up_is_sent_and_costed_but_not_counted(service: Service, simulator: Simulator) -> None:
    done = await service.run(model="gpt-4o-mini", prompts=["a", "b"], warmup=3)
    assert len(simulator.requests) == 5
    assert len(done["results"]) == 2
    assert done["summary"]["requests"] == {
        "planned": 5,
        "warmup": 3,
        "succeeded": 2,
        "errored": 0,
        "timed_out": 0,
        "cancelled": 0,
        "truncated": 0,
        "incomplete": 0,
        "dropped": 0,
    }
    assert done["summary"]["ttft_ms"]["count"] == 2
    cost = done["summary"]["cost"]
    assert cost["total_usd"] == pytest.approx(cost["measured_usd"] + cost["warmup_usd"])
    whole = (await service.client.get(f"/benchmarks/{done['id']}", params={"include": "warmup"})).json()
    assert [item["warmup"] for item in whole["results"]].count(True) == 3


async def test_warm_up_starts_with_a_text_of_its_own_unless_told_otherwise(
    service: Service, simulator: Simulator
) -> None:
    run = {"model": "sim-ttft5-gap1-n2", "system": "s", "prompts": ["a"], "repetitions": 2, "warmup": 2}
    await service.run(**run, concurrency=1)
    await service.run(**run, concurrency=1, warmup_prefix=False)
    sent = [(request.body["system"], request.body["messages"][0]["content"]) for request in simulator.requests]
    assert sent[2:] == [("s", "a")] * 6
    assert [(system[16:], content[16:]) for system, content in sent[:2]] == [("\n\ns", "\n\na")] * 2
    assert sent[0][1] != sent[1][1]


async def test_failures_have_counts_of_their_own_and_do_not_shorten_latencies(service: Service) -> None:
    done = await service.run(model="sim-ttft60-gap5-n4-err500-every2", prompts=["x"] * 6)
    summary = done["summary"]
    assert done["status"] == "completed"
    assert (summary["requests"]["succeeded"], summary["requests"]["errored"]) == (3, 3)
    assert summary["error_kinds"] == {"server_error": 3}
    assert summary["ttft_ms"]["count"] == 3
    assert summary["ttft_ms"]["min"] >= 60
    assert done["progress"]["errors"] == 3


async def test_a_benchmark_of_which_nothing_succeeded_has_failed(service: Service) -> None:
    done = await service.run(model="sim-ttft5-gap1-n4-err401", prompts=["x", "y"])
    assert done["status"] == "failed"
    assert done["error"]["kind"] == "all_requests_failed"
    assert "authentication" in done["error"]["message"]
    assert [item["error"]["http_status"] for item in done["results"]] == [401, 401]


async def test_a_benchmark_that_reached_nobody_has_no_grade(
    database_url: str, redis_url: str, children: Children
) -> None:
    """Nothing was sent, so nothing was measured, well or badly."""
    endpoint = {"name": "mine", "protocol": "openai", "base_url": "http://127.0.0.1:1/v1"}
    async with running_service(database_url, redis_url, None, children=children, providers=[endpoint]) as service:
        done = await service.run(provider="mine", prompts=["x", "y"])
    assert done["summary"]["error_kinds"] == {"connect_error": 2}
    assert done["summary"]["measurement"] is None
    assert [segment["measurement"] for segment in done["segments"]] == [None]


async def test_intervals_count_prompts_and_not_requests(service: Service) -> None:
    """Six distinct prompts are the fewest that have an interval of the median."""
    six = [f"prompt {number}" for number in range(6)]
    for prompts, repetitions, basis, there in (
        (six, 1, "requests", True),
        (six, 2, "prompts", True),
        (six[:5], 2, "prompts", False),
        (["the same"] * 6, 1, "prompts", False),
    ):
        done = await service.run(prompts=prompts, repetitions=repetitions, concurrency=6)
        summary = done["summary"]
        assert summary["ttft_ms"]["interval_basis"] == basis
        assert (summary["ttft_ms"]["p50_ci95"] is not None) is there
        assert summary["inter_chunk_latency_ms"]["p50_ci95"] is None


async def test_every_metric_can_be_computed_again_from_the_timeline(service: Service) -> None:
    done = await service.run(model="sim-ttft20-gap7-n9-think3-chunk2", provider="simulator", prompts=["x", "y"])
    document = (await service.client.get(f"/benchmarks/{done['id']}", params={"include": "timeline"})).json()
    for result in document["results"]:
        timeline = [
            TimelineEvent(round(event["offset_ms"] * 1_000), EventKind[event["kind"].upper()], event["size"])
            for event in result["timeline"]
        ]
        facts = RequestFacts.of(timeline, result["output_tokens"], result["output_tokens"])
        for name, value in compute(facts).items():
            assert result[name] == (rounded(value) if isinstance(value, float) else value), name


async def test_what_a_model_says_is_stored_as_it_is_or_replaced(service: Service) -> None:
    html = await service.run(model="sim-ttft5-gap1-n8-html", prompts=["x"])
    assert "<img src=x onerror=alert(1)>" in html["results"][0]["response"]
    nul = await service.run(model="sim-ttft5-gap1-n8-nul", prompts=["x"])
    assert "\ufffd" in nul["results"][0]["response"]
    assert "unstorable_text_replaced" in nul["results"][0]["flags"]


async def test_a_key_reaches_the_provider_and_nothing_else(
    database_url: str, redis_url: str, simulator: Simulator, capfd: pytest.CaptureFixture[str]
) -> None:
    endpoint = {
        "name": "locked",
        "protocol": "openai",
        "base_url": f"{simulator.base_url}/v1",
        "api_key_env": "LOCKED_KEY",
    }
    keys = KeyRing({"LOCKED_KEY": KEY})
    # With a measuring process of its own, whose output is captured too.
    async with running_service(database_url, redis_url, None, keys, providers=[endpoint], log_level="DEBUG") as service:
        await service.run(provider="locked", prompts=["x"])
        whole = (await service.client.get("/benchmarks/1?include=timeline,warmup")).text
        whole += (await service.client.get("/providers")).text
    assert KEY not in whole
    assert "authorization" in simulator.requests[0].headers
    assert KEY not in "".join(capfd.readouterr())


async def test_an_open_loop_keeps_its_rate_and_its_summary_says_so(service: Service, simulator: Simulator) -> None:
    run = await service.run(
        prompts=["a"] * 10, model="sim-ttft200-gap1-n4", request_rate=5, arrival="poisson", arrival_seed=3
    )
    assert (run["request_rate"], run["arrival"], run["arrival_seed"], run["concurrency"]) == (5, "poisson", 3, 10)
    summary = run["summary"]
    assert summary["requests"]["succeeded"] == 10
    assert summary["request_rate"]["requested"] == 5
    # Ten arrivals are few: what they make of the rate is known of this seed, and a busy machine is late by some of it.
    due = list(islice(PoissonRate(5, 10, seed=3).due_ns(), 10))
    assert summary["request_rate"]["achieved"] == pytest.approx(9 / (due[-1] / 1e9), rel=0.3)
    assert summary["effective_latency_ms"]["count"] == 10
    assert summary["effective_latency_ms"]["min"] >= summary["latency_ms"]["min"]
    # From the first arrival to the last.
    assert summary["steady_window"]["duration_s"] == pytest.approx(due[-1] / 1e9, rel=0.3)
