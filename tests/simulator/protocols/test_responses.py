"""The OpenAI Responses protocol, as the real SDK and as the bytes on the wire see it."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseStreamEvent

from simulator.server import Simulator
from tests.simulator.raw import FAST, exchange, request_bytes, responses_request, stream

SENTENCE = "Measured numbers tell you which model is fast enough, at what load, and at what price. "


async def events_of(client: AsyncOpenAI, model: str, **fields: Any) -> list[ResponseStreamEvent]:
    fields = {"input": "twelve bytes", **fields}
    return [event async for event in await client.responses.create(model=model, stream=True, **fields)]


async def final(client: AsyncOpenAI, model: str, **fields: Any) -> Response:
    """The response as the SDK puts it together from the events. It checks their order, places and ids."""
    async with client.responses.stream(model=model, input="twelve bytes", **fields) as events:
        return await events.get_final_response()


async def test_stream_gives_the_sentence(gpt: AsyncOpenAI) -> None:
    """The SDK puts together sixteen words and their usage from the default answer."""
    response = await final(gpt, "gpt-4o-mini", extra_headers={"x-sim-ttft-ms": "1", "x-sim-gap-ms": "1"})
    assert (response.output_text, response.status, response.model) == (SENTENCE, "completed", "gpt-4o-mini")
    assert (response.id, response.service_tier) == ("resp_00000001", "default")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (3, 16, 19)


async def test_events_come_in_the_real_order(sim: Simulator) -> None:
    """The events of a text are those of the real API, each type named twice and numbered from 0."""
    response = await stream(sim, responses_request(f"sim-{FAST}-n2"))
    names = [line[7:].decode() for line in response.body.split(b"\n") if line.startswith(b"event: ")]
    assert [name.removeprefix("response.") for name in names] == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event["type"] for event in response.events] == names
    assert [event["sequence_number"] for event in response.events] == list(range(10))
    assert response.events[0]["response"]["usage"] is None
    assert response.events[6]["text"] == response.events[7]["part"]["text"] == "Measured numbers "
    assert b"[DONE]" not in response.body


async def test_every_event_has_the_shape_that_the_sdk_knows(gpt: AsyncOpenAI) -> None:
    """Each event, dumped and read strictly, is one of the SDK's own."""
    for options in ("n3-think2", "n3-think2-summary", "n4-tool", "empty"):
        for event in await events_of(gpt, f"sim-{FAST}-{options}"):
            assert type(event).model_validate(event.model_dump(by_alias=True), strict=False).type == event.type


@pytest.mark.parametrize(("options", "name"), [("think2", "content"), ("think2-summary", "summary")])
async def test_reasoning_comes_first(gpt: AsyncOpenAI, options: str, name: str) -> None:
    """`think` gives an item of reasoning, with its text, or with `summary` as its summary."""
    response = await final(gpt, f"sim-{FAST}-{options}-n2")
    reasoning, message = response.output
    assert (reasoning.type, message.type, response.output_text) == ("reasoning", "message", "Measured numbers ")
    assert [part.text for part in getattr(reasoning, name)] == ["First I "]
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens == 2


async def test_tool_call_streams_its_arguments(gpt: AsyncOpenAI) -> None:
    """`tool` calls the first function offered; its argument pieces join to JSON."""
    tool: Any = {"type": "function", "name": "search", "parameters": {"type": "object"}, "strict": False}
    response = await final(gpt, f"sim-{FAST}-tool-n4", tools=[tool])
    (call,) = response.output
    assert call.type == "function_call"
    assert (call.name, call.call_id, json.loads(call.arguments)) == (
        "search",
        "call_00000001",
        {"query": "Measured numbers "},
    )


async def test_whole_answer_equals_the_streamed_one(gpt: AsyncOpenAI) -> None:
    """Without streaming the SDK gets the same output, status and usage."""
    for options in ("n5", "think3-n4", "think3-n4-summary", "tool-n6", "empty"):
        model = f"sim-{FAST}-{options}"
        whole = (await gpt.responses.create(model=model, input="twelve bytes")).model_dump()
        streamed = (await events_of(gpt, model))[-1]
        assert streamed.type == "response.completed"
        others = streamed.response.model_dump()
        assert [item["type"] for item in whole["output"]] == [item["type"] for item in others["output"]]
        for name in ("status", "usage", "model", "incomplete_details"):
            assert whole[name] == others[name], name


async def test_the_limit_cuts_the_answer(gpt: AsyncOpenAI) -> None:
    """A smaller `max_output_tokens` wins, reasoning included, and the response says that it is incomplete."""
    last = (await events_of(gpt, f"sim-{FAST}-think4-n40", max_output_tokens=16))[-1]
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details is not None
    assert (last.response.status, last.response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert last.response.usage is not None
    assert last.response.usage.output_tokens == 16
    assert len(last.response.output_text.split()) == 12


async def test_error_inside_the_stream(sim: Simulator) -> None:
    """`miderr2` gives two texts, then the failure: as an error, and as the state of the response."""
    response = await stream(sim, responses_request(f"sim-{FAST}-miderr2"))
    error, failed = response.events[-2:]
    assert (error["type"], error["error"]["type"]) == ("error", "server_error")
    assert (failed["type"], failed["response"]["status"], failed["response"]["error"]["code"]) == (
        "response.failed",
        "failed",
        "server_error",
    )
    assert failed["response"]["id"] == "resp_00000001"
    assert response.contents == ["Measured ", "numbers "]


@pytest.mark.parametrize(
    ("body", "param", "part"),
    [
        ({"input": "x"}, None, "model parameter"),
        ({"model": "m"}, "input", "Missing required parameter"),
        ({"model": "m", "input": []}, "input", "empty array"),
        ({"model": "m", "input": [{"content": "x"}]}, "input[0].role", "Missing required parameter"),
        ({"model": "m", "input": 5}, "input", "expected an array"),
        ({"model": "m", "input": "x", "instructions": 5}, "instructions", "expected a string"),
        ({"model": "m", "input": "x", "max_output_tokens": 15}, "max_output_tokens", "Expected a value >= 16"),
        ({"model": "m", "input": "x", "max_output_tokens": True}, "max_output_tokens", "expected an integer"),
        ({"model": "m", "input": "x", "stop": "y"}, "stop", "Unknown parameter"),
        ({"model": "m", "input": "x", "stream": "yes"}, "stream", "expected a boolean"),
        ([], None, "must be a JSON object"),
    ],
)
async def test_bad_requests_are_refused(sim: Simulator, body: Any, param: str | None, part: str) -> None:
    """A request that the real API refuses gets its message and parameter."""
    response = await exchange(sim, request_bytes("/v1/responses", body, {"connection": "close"}))
    error = json.loads(response.body)["error"]
    assert (response.status, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert part in error["message"]


async def test_errors_are_typed(gpt: AsyncOpenAI) -> None:
    """The SDK raises the class that belongs to the status and finds the code."""
    with pytest.raises(openai.RateLimitError) as caught:
        await events_of(gpt, "sim-err429")
    assert (caught.value.code, caught.value.request_id) == ("rate_limit_exceeded", "req_00000001")


async def test_input_tokens_are_bytes_by_four(gpt: AsyncOpenAI) -> None:
    """Input tokens are the UTF-8 bytes of instructions and input divided by four, rounded up."""
    content: Any = [{"role": "user", "content": [{"type": "input_text", "text": "äöü"}]}]
    response = await gpt.responses.create(model=f"sim-{FAST}-n1", instructions="abc", input=content)
    assert response.usage is not None
    assert response.usage.input_tokens == 3
