"""What answers say about their model, tier and cache, from the bytes to the API."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.servers.scripted import ScriptedServer, http
from tests.support.service import running_service
from tests.support.streams import anthropic_stream, openai_chunk, sse
from worker.engine.children import Children

Run = Callable[..., Awaitable[Any]]
MILLE = {"prompt_tokens": 1_000, "completion_tokens": 1_000, "total_tokens": 2_000}


def openai_answer(usage: dict[str, Any], **said: Any) -> bytes:
    """An answer whose every chunk says this."""
    chunks = [openai_chunk({"content": "a"}, **said), openai_chunk({}, "stop", **said)]
    return sse(*chunks, openai_chunk(None, usage=usage, **said), "[DONE]")


@pytest.fixture
def run(database_url: str, redis_url: str, children: Children) -> Run:
    """Runs a benchmark against a server that gives this answer, at the prices of the protocol's own provider."""

    async def run(answer: bytes, protocol: str = "openai", **spec: Any) -> Any:
        async with ScriptedServer([http(answer)]).running() as server:
            base_url = f"{server.url}/v1" if protocol == "openai" else server.url
            endpoint = {"name": "mine", "protocol": protocol, "base_url": base_url, "price_provider": protocol}
            options = {"children": children, "providers": [endpoint]}
            async with running_service(database_url, redis_url, None, **options) as service:
                return await service.run(provider="mine", prompts=["x"], **spec)

    return run


async def test_another_model_than_was_asked_for_is_priced_as_what_it_is(run: Run) -> None:
    answer = openai_answer(MILLE, model="gpt-4o-mini-2024-07-18")
    done = await run(answer, model="gpt-4o", repetitions=2)
    for result in done["results"]:
        assert (result["outcome"], result["served_model"]) == ("succeeded", "gpt-4o-mini-2024-07-18")
        assert result["cost_usd"] == pytest.approx(0.00075)
        assert "served_model_differs" in result["flags"]
    assert done["summary"]["served"]["models"] == {"gpt-4o-mini-2024-07-18": 2}
    assert done["summary"]["cost"]["total_usd"] == pytest.approx(0.0015)
    assert "served_model_differs" in [finding["finding"] for finding in done["summary"]["conformance"]]
    assert (done["price"]["model"], done["price"]["input_usd_per_mtok"]) == ("gpt-4o", 2.5)
    (served,) = done["price"]["served"]
    assert (served["served_model"], served["service_tier"]) == ("gpt-4o-mini-2024-07-18", None)
    assert (served["model"], served["input_usd_per_mtok"]) == ("gpt-4o-mini", 0.15)


async def test_another_tier_than_was_asked_for_is_priced_as_what_it_is(run: Run) -> None:
    answer = openai_answer(MILLE, model="gpt-5-2025-08-07", service_tier="scale")
    done = await run(answer, model="gpt-5")
    (result,) = done["results"]
    assert (result["served_model"], result["service_tier"]) == ("gpt-5-2025-08-07", "scale")
    assert result["cost_usd"] is None
    assert "service_tier_differs" in result["flags"]
    assert "served_model_differs" not in result["flags"]
    assert done["summary"]["cost"]["unpriced_requests"] == 1


async def test_a_cached_prompt_is_flagged_and_the_summary_says_what_it_means(run: Run) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 8_111}}
    usage = {"prompt_tokens": 8_112, "completion_tokens": 2, "total_tokens": 8_114, **details}
    done = await run(openai_answer(usage), model="m", repetitions=5, warmup=1)
    for result in done["results"]:
        assert result["cache_read_tokens"] == 8_111
        assert "prompt_cached" in result["flags"]
    assert done["summary"]["flags"]["prompt_cached"] == 5
    assert done["summary"]["cached_share"] == pytest.approx(8_111 / 8_112)
    (notice,) = done["summary"]["notices"]
    assert "100% of the input tokens were read from a prompt cache" in notice
    assert "repetitions of the same prompt" in notice
    assert "warm-up" not in notice


async def test_tokens_that_a_cache_keeps_for_an_hour_cost_what_that_costs(run: Run) -> None:
    written = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100_000}
    start = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 100_000,
        "cache_read_input_tokens": 0,
        "cache_creation": written,
    }
    answer = anthropic_stream("a", "b", start=start, end={"output_tokens": 2})
    done = await run(answer, "anthropic", model="claude-sonnet-4-5")
    (result,) = done["results"]
    assert (result["cache_write_tokens"], result["cache_write_1h_tokens"]) == (100_000, 100_000)
    assert result["cost_usd"] == pytest.approx(0.600039)
    assert done["summary"]["notices"] == []
