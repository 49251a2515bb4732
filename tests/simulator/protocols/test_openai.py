"""The OpenAI protocol, as the real SDK and as the bytes on the wire see it."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from simulator.server import Simulator
from tests.simulator.raw import FAST, exchange, openai_request, request_bytes, stream

MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "twelve bytes"}]
SENTENCE = "Measured numbers tell you which model is fast enough, at what load, and at what price. "


async def chunks_of(client: AsyncOpenAI, model: str, **fields: Any) -> list[ChatCompletionChunk]:
    fields = {"messages": MESSAGES, **fields}
    return [chunk async for chunk in await client.chat.completions.create(model=model, stream=True, **fields)]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def finish_of(chunks: list[ChatCompletionChunk]) -> list[str]:
    return [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]


async def test_stream_gives_the_sentence(gpt: AsyncOpenAI) -> None:
    """The SDK reads a role, sixteen words and `stop` from the default answer, and no usage unless it asks."""
    headers = {"x-sim-ttft-ms": "1", "x-sim-gap-ms": "1"}
    chunks = await chunks_of(gpt, "gpt-4o-mini", extra_headers=headers)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    assert text_of(chunks) == SENTENCE
    assert finish_of(chunks) == ["stop"]
    assert {(chunk.id, chunk.model) for chunk in chunks} == {("chatcmpl-00000001", "gpt-4o-mini")}
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)
    assert len(chunks) == 18


async def test_usage_comes_last_when_asked_for(gpt: AsyncOpenAI) -> None:
    """With `include_usage` every chunk says `usage: null` but one more at the end, which has no choices."""
    chunks = await chunks_of(gpt, f"sim-{FAST}-think2-n3", stream_options={"include_usage": True})
    assert all("usage" in chunk.model_fields_set and chunk.usage is None for chunk in chunks[:-1])
    usage = chunks[-1].usage
    assert chunks[-1].choices == []
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 5, 8)
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == 2
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 0


async def test_usage0_never_sends_usage(gpt: AsyncOpenAI) -> None:
    """`usage0` keeps usage to itself, streamed or whole."""
    chunks = await chunks_of(gpt, f"sim-{FAST}-usage0", stream_options={"include_usage": True})
    assert all("usage" not in chunk.model_fields_set for chunk in chunks)
    whole = await gpt.chat.completions.create(model=f"sim-{FAST}-usage0", messages=MESSAGES)
    assert whole.usage is None


async def test_stream_ends_with_done(sim: Simulator) -> None:
    """The last line is `data: [DONE]`; with `nodone` it is missing and the server closes."""
    response = await stream(sim, openai_request(f"sim-{FAST}-n2"))
    assert response.body.endswith(b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    assert response.headers["x-request-id"] == "req_00000001"
    response = await exchange(sim, openai_request(f"sim-{FAST}-n2-nodone"))
    assert response.complete
    assert response.body.endswith(b'"finish_reason":"stop"}]}\n\n')
    assert [record.outcome for record in sim.requests] == ["succeeded", "succeeded"]


async def test_reasoning_comes_first(sim: Simulator) -> None:
    """`think` sends `reasoning_content` deltas before the content, in the way of vLLM and DeepSeek."""
    response = await stream(sim, openai_request(f"sim-{FAST}-think2-n1"))
    deltas = [event["choices"][0]["delta"] for event in response.events]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "First "},
        {"reasoning_content": "I "},
        {"content": "Measured "},
        {},
    ]


async def test_chunk_groups_tokens(gpt: AsyncOpenAI) -> None:
    """`chunk4` sends four tokens in one event; usage still counts tokens."""
    chunks = await chunks_of(gpt, f"sim-{FAST}-n10-chunk4", stream_options={"include_usage": True})
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert [len(text.split()) for text in texts if text] == [4, 4, 2]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 10


async def test_tool_call_streams_its_arguments(gpt: AsyncOpenAI) -> None:
    """`tool` calls the first function offered; its argument pieces join to JSON."""
    function = {"name": "search", "parameters": {"type": "object"}}
    chunks = await chunks_of(gpt, f"sim-{FAST}-tool-n4", tools=[{"type": "function", "function": function}])
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert calls[0].function is not None
    assert (calls[0].function.name, calls[0].id, calls[0].type) == ("search", "call_00000001", "function")
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(arguments) == {"query": "Measured numbers "}
    assert finish_of(chunks) == ["tool_calls"]


async def test_whole_answer(gpt: AsyncOpenAI) -> None:
    """Without streaming the SDK gets text, reasoning, usage and finish reason in one completion."""
    whole = await gpt.chat.completions.create(model=f"sim-{FAST}-think2-n3", messages=MESSAGES)
    message = whole.choices[0].message
    assert message.content == "Measured numbers tell "
    assert message.model_dump()["reasoning_content"] == "First I "
    assert whole.usage is not None
    assert (whole.choices[0].finish_reason, whole.usage.completion_tokens) == ("stop", 5)


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_max_tokens_cut_the_answer(gpt: AsyncOpenAI, field: str) -> None:
    """Either name of the limit cuts the answer and says `length`."""
    chunks = await chunks_of(gpt, f"sim-{FAST}", **{field: 2})
    assert (text_of(chunks), finish_of(chunks)) == ("Measured numbers ", ["length"])


async def test_stop_ends_the_answer(gpt: AsyncOpenAI) -> None:
    """The text ends before a stop string, even one that spans tokens."""
    chunks = await chunks_of(gpt, f"sim-{FAST}", stop="rs tell")
    assert (text_of(chunks), finish_of(chunks)) == ("Measured numbe", ["stop"])


async def test_empty_answer_finishes(gpt: AsyncOpenAI) -> None:
    """`empty` has a role and a finish reason and no token."""
    chunks = await chunks_of(gpt, f"sim-{FAST}-empty", stream_options={"include_usage": True})
    assert (text_of(chunks), finish_of(chunks)) == ("", ["stop"])
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 0


async def test_texts_that_hurt_arrive_whole(gpt: AsyncOpenAI) -> None:
    """Multi-byte text, U+0000, HTML and a formula arrive as they are."""
    text = text_of(await chunks_of(gpt, f"sim-{FAST}-utf8-cut1"))
    assert text.startswith("Größe naïve Привет 東京 ")
    assert "👩\u200d🔬" in text
    text = text_of(await chunks_of(gpt, f"sim-{FAST}-html-nul"))
    assert text.startswith('=HYPERLINK("http://x") <img src=x onerror=alert(1)> Measured\x00 numbers ')


@pytest.mark.parametrize(
    ("option", "error", "code"),
    [
        ("err400", openai.BadRequestError, "invalid_value"),
        ("err401", openai.AuthenticationError, "invalid_api_key"),
        ("err404", openai.NotFoundError, "model_not_found"),
        ("err429", openai.RateLimitError, "rate_limit_exceeded"),
        ("err500", openai.InternalServerError, None),
        ("err503", openai.InternalServerError, "server_overloaded"),
        ("boom7", openai.NotFoundError, "model_not_found"),
    ],
)
async def test_errors_are_typed(
    gpt: AsyncOpenAI, option: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    """The SDK raises the class that belongs to the status and finds the code."""
    with pytest.raises(error) as caught:
        await chunks_of(gpt, f"sim-{option}")
    assert caught.value.code == code
    assert caught.value.request_id == "req_00000001"
    assert option != "boom7" or "boom7" in caught.value.message
    body = caught.value.body
    assert isinstance(body, dict)
    assert set(body) == {"message", "type", "param", "code"}


async def test_error_inside_the_stream(gpt: AsyncOpenAI) -> None:
    """`miderr2` gives two texts, then an error object, inside HTTP 200."""
    texts: list[str | None] = []

    async def read() -> None:
        model = f"sim-{FAST}-miderr2"
        async for chunk in await gpt.chat.completions.create(model=model, messages=MESSAGES, stream=True):
            texts.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(openai.APIError) as caught:
        await read()
    assert texts == ["", "Measured ", "numbers "]
    assert caught.value.type == "server_error"


async def test_old_servers_refuse_stream_options(gpt: AsyncOpenAI) -> None:
    """`nostreamoptions` answers 400 naming the parameter, and serves a request without it."""
    with pytest.raises(openai.BadRequestError, match="stream_options"):
        await chunks_of(gpt, f"sim-{FAST}-nostreamoptions", stream_options={"include_usage": True})
    assert text_of(await chunks_of(gpt, f"sim-{FAST}-nostreamoptions")) == SENTENCE


@pytest.mark.parametrize(
    ("body", "param", "part"),
    [
        ({"messages": MESSAGES}, None, "model parameter"),
        ({"model": "m"}, "messages", "Missing required parameter"),
        ({"model": "m", "messages": []}, "messages", "empty array"),
        ({"model": "m", "messages": MESSAGES, "max_tokens": 0}, "max_tokens", "below minimum"),
        ({"model": "m", "messages": MESSAGES, "max_tokens": 1, "max_completion_tokens": 1}, "max_tokens", "same time"),
        ({"model": "m", "messages": MESSAGES, "stop": list("abcde")}, "stop", "too long"),
        ({"model": "m", "messages": MESSAGES, "stream_options": {}}, "stream_options", "'stream' is enabled"),
        ({"model": "m", "messages": MESSAGES, "n": 2}, "n", "one choice"),
        (b'{"model": NaN}', None, "could not parse the JSON"),
    ],
)
async def test_bad_requests_are_refused(sim: Simulator, body: Any, param: str | None, part: str) -> None:
    """A request that the real API refuses gets its message and parameter."""
    response = await exchange(sim, request_bytes("/v1/chat/completions", body, {"connection": "close"}))
    error = json.loads(response.body)["error"]
    assert response.status == 400
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert part in error["message"]


async def test_models_are_listed(gpt: AsyncOpenAI) -> None:
    """The model list has OpenAI's shape for every other client."""
    page = await gpt.models.list()
    assert page.data[0].object == "model"
    with pytest.raises(openai.NotFoundError):
        await gpt.models.retrieve("nobody")
