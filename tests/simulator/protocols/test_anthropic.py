"""The Anthropic protocol, as the real SDK and as the bytes on the wire see it."""

import json
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import MessageParam

from simulator.server import Simulator
from tests.simulator.raw import FAST, anthropic_request, exchange, request_bytes, stream

MESSAGES: list[MessageParam] = [{"role": "user", "content": "twelve bytes"}]
SENTENCE = "Measured numbers tell you which model is fast enough, at what load, and at what price. "


async def final(client: AsyncAnthropic, model: str, **fields: Any) -> anthropic.types.Message:
    fields = {"max_tokens": 1000, "messages": MESSAGES, **fields}
    async with client.messages.stream(model=model, **fields) as events:
        return await events.get_final_message()


async def test_stream_gives_the_sentence(claude: AsyncAnthropic) -> None:
    """The SDK reads sixteen words, their usage and `end_turn` from the default answer."""
    message = await final(claude, "claude-3-haiku-20240307", extra_headers={"x-sim-ttft-ms": "1", "x-sim-gap-ms": "1"})
    assert message.content[0].type == "text"
    assert message.content[0].text == SENTENCE
    assert (message.stop_reason, message.model, message.id) == ("end_turn", "claude-3-haiku-20240307", "msg_00000001")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 16)
    assert (message.usage.cache_creation_input_tokens, message.usage.cache_read_input_tokens) == (0, 0)


async def test_whole_answer_equals_the_streamed_one(claude: AsyncAnthropic) -> None:
    """Without streaming the SDK gets the same content, stop reason and usage."""
    for options in ("n5", "think3-n4", "tool-n6", "empty"):
        model = f"sim-{FAST}-{options}"
        streamed = await final(claude, model)
        whole = await claude.messages.create(model=model, max_tokens=1000, messages=MESSAGES)
        assert whole.model_dump(exclude={"id", "content"}) == streamed.model_dump(
            exclude={"id", "content", "parsed_output"}
        )
        assert [block.type for block in whole.content] == [block.type for block in streamed.content]


async def test_events_come_in_the_real_order(sim: Simulator) -> None:
    """The events of a text answer are those of the real API, each type named twice, usage cumulative."""
    response = await stream(sim, anthropic_request(f"sim-{FAST}-n2"))
    names = [line[7:].decode() for line in response.body.split(b"\n") if line.startswith(b"event: ")]
    assert names == [
        "message_start", "content_block_start", "ping", "content_block_delta", "content_block_delta",
        "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert [event["type"] for event in response.events] == names
    assert response.events[0]["message"]["usage"]["output_tokens"] == 1
    assert response.events[0]["message"]["stop_reason"] is None
    assert response.events[-2]["usage"]["output_tokens"] == 2
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["request-id"] == "req_00000001"


async def test_thinking_comes_first_and_is_signed(claude: AsyncAnthropic, sim: Simulator) -> None:
    """`think` gives a thinking block with a signature before the text, and counts as output."""
    message = await final(claude, f"sim-{FAST}-think3-n2")
    thinking, text = message.content
    assert thinking.type == "thinking"
    assert thinking.thinking == "First I restate "
    assert thinking.signature
    assert text.type == "text"
    assert message.usage.output_tokens == 5
    assert message.usage.output_tokens_details is not None
    assert message.usage.output_tokens_details.thinking_tokens == 3
    response = await stream(sim, anthropic_request(f"sim-{FAST}-think2-n1"))
    deltas = [event["delta"]["type"] for event in response.events if event["type"] == "content_block_delta"]
    assert deltas == ["thinking_delta", "thinking_delta", "signature_delta", "text_delta"]


async def test_tool_call_streams_its_arguments(claude: AsyncAnthropic) -> None:
    """`tool` answers with a call of the first tool offered, whose streamed arguments join to JSON."""
    tool = {"name": "search", "input_schema": {"type": "object"}}
    message = await final(claude, f"sim-{FAST}-tool-n4-html", tools=[tool])
    (block,) = message.content
    assert block.type == "tool_use"
    assert (block.name, block.input) == ("search", {"query": '=HYPERLINK("http://x") <img '})
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 4)


async def test_max_tokens_cut_the_answer(claude: AsyncAnthropic) -> None:
    """A smaller `max_tokens` wins, thinking included; `ignoremax` ignores it."""
    message = await final(claude, f"sim-{FAST}-think2-n9", max_tokens=5)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5)
    message = await final(claude, f"sim-{FAST}-n9-ignoremax", max_tokens=5)
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 9)


async def test_stop_sequences_end_the_answer(claude: AsyncAnthropic) -> None:
    """The text ends before the earliest stop sequence, which is named."""
    message = await final(claude, f"sim-{FAST}", stop_sequences=["which", "you whi", "never"])
    assert message.content[0].type == "text"
    assert message.content[0].text == "Measured numbers tell "
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "you whi")
    assert message.usage.output_tokens == 3


async def test_empty_answer_finishes(claude: AsyncAnthropic) -> None:
    """`empty` has no content block, and one output token, as the real API counts."""
    message = await final(claude, f"sim-{FAST}-empty")
    assert (message.content, message.stop_reason, message.usage.output_tokens) == ([], "end_turn", 1)


async def test_input_tokens_are_bytes_by_four(claude: AsyncAnthropic) -> None:
    """Input tokens are the UTF-8 bytes of system and messages divided by four, rounded up."""
    blocks: list[MessageParam] = [{"role": "user", "content": [{"type": "text", "text": "äöü"}]}]
    message = await final(claude, f"sim-{FAST}-n1", system="abc", messages=blocks)
    assert message.usage.input_tokens == 3


@pytest.mark.parametrize(
    ("option", "error", "kind"),
    [
        ("err400", anthropic.BadRequestError, "invalid_request_error"),
        ("err401", anthropic.AuthenticationError, "authentication_error"),
        ("err404", anthropic.NotFoundError, "not_found_error"),
        ("err429", anthropic.RateLimitError, "rate_limit_error"),
        ("err500", anthropic.InternalServerError, "api_error"),
        ("err529", anthropic.APIStatusError, "overloaded_error"),
        ("boom7", anthropic.NotFoundError, "not_found_error"),
    ],
)
async def test_errors_are_typed(
    claude: AsyncAnthropic, option: str, error: type[anthropic.APIStatusError], kind: str
) -> None:
    """The SDK raises the class that belongs to the status, and finds type, message and request id where they belong."""
    with pytest.raises(error) as caught:
        await final(claude, f"sim-{option}")
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["request_id"] == caught.value.request_id == "req_00000001"
    assert option != "boom7" or "boom7" in body["error"]["message"]


async def test_error_inside_the_stream(claude: AsyncAnthropic) -> None:
    """`miderr2` gives two texts, then the overloaded error, inside HTTP 200."""
    texts: list[str] = []

    async def read() -> None:
        async with claude.messages.stream(model=f"sim-{FAST}-miderr2", max_tokens=99, messages=MESSAGES) as events:
            async for text in events.text_stream:
                texts.append(text)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(anthropic.APIStatusError) as caught:
        await read()
    assert texts == ["Measured ", "numbers "]
    assert caught.value.body == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "m", "messages": MESSAGES}, "max_tokens: Field required"),
        ({"model": "m", "max_tokens": 5}, "messages: Field required"),
        ({"max_tokens": 5, "messages": MESSAGES}, "model: Field required"),
        ({"model": "m", "max_tokens": 0, "messages": MESSAGES}, "max_tokens: must be greater than or equal to 1"),
        ({"model": "m", "max_tokens": True, "messages": MESSAGES}, "max_tokens: Input should be a valid integer"),
        ({"model": "m", "max_tokens": 5, "messages": []}, "messages: at least one message is required"),
        ({"model": "m", "max_tokens": 5, "messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ([], "Input should be a valid dictionary"),
    ],
)
async def test_bad_requests_are_refused(sim: Simulator, body: Any, message: str) -> None:
    """A request that the real API refuses gets its message."""
    request = request_bytes("/v1/messages", body, {"anthropic-version": "2023-06-01", "connection": "close"})
    response = await exchange(sim, request)
    assert response.status == 400
    assert json.loads(response.body)["error"] == {"type": "invalid_request_error", "message": message}
    assert sim.requests[0].outcome == "errored"


async def test_version_header_is_required(sim: Simulator) -> None:
    """A request without `anthropic-version` is refused."""
    body = {"model": "m", "max_tokens": 5, "messages": MESSAGES}
    response = await exchange(sim, request_bytes("/v1/messages", body, {"connection": "close"}))
    assert json.loads(response.body)["error"]["message"] == "anthropic-version: header is required"


async def test_models_are_listed(claude: AsyncAnthropic) -> None:
    """The model list has Anthropic's shape for a client that sends Anthropic's header."""
    page = await claude.models.list()
    assert page.data[0].id == "sim"
    assert (await claude.models.retrieve("sim")).type == "model"
