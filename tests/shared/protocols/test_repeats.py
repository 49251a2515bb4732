"""Events that repeat a pattern: decoded together exactly as they are one by one."""

from collections.abc import Callable

import orjson
import pytest

from shared.protocols.decoders import AnswerDecoder
from shared.protocols.events import Content, Reasoning, StreamEvent, ToolCall
from shared.protocols.repeats import MOST_VAIN
from tests.support.streams import message_start, openai_chunk, sse
from tests.worker.engine.measuring import adapter

# Texts that JSON writes in a way of its own, and words that a decoder looks for.
TEXTS = ["a", " the", "é", "\n", "\\", '"', 'say "', '","', "</think>", "<", "🚀", "\x7f", "\u2028", "usage", "]", "x"]


def chat(text: str) -> bytes:
    return sse(openai_chunk({"content": text}))


def thought(text: str) -> bytes:
    return sse(openai_chunk({"content": None, "reasoning_content": text}))


def message(kind: str) -> Callable[[str], bytes]:
    def event(text: str) -> bytes:
        delta = {"type": f"{kind}_delta", kind: text}
        return sse({"type": "content_block_delta", "index": 0, "delta": delta}, named=True)

    return event


def decoder_of(event: Callable[[str], bytes], *fed: bytes) -> AnswerDecoder:
    """A decoder that was fed the start of an answer and these reads."""
    chats = event in (chat, thought)
    start = sse(openai_chunk({"role": "assistant", "content": ""})) if chats else sse(message_start(), named=True)
    decoder = adapter("openai" if chats else "anthropic").decoder({"content-type": "text/event-stream"})
    for data in (start, *fed):
        list(decoder.feed(data))
    return decoder


def repeated(decoder: AnswerDecoder, data: bytes) -> list[StreamEvent] | None:
    found = decoder.repeats(data)
    return None if found is None else [found.kind(text) for text in found.texts]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (chat, Content),
        (thought, Reasoning),
        (message("text"), Content),
        (message("thinking"), Reasoning),
        (message("partial_json"), ToolCall),
    ],
)
def test_repeated_events_are_what_each_is_by_itself(event: Callable[[str], bytes], kind: type[StreamEvent]) -> None:
    reads = [event(text) for text in TEXTS]
    together, one_by_one = decoder_of(event, event("first")), decoder_of(event, event("first"))
    assert repeated(together, b"".join(reads)) == [found for data in reads for found in one_by_one.feed(data)]
    assert {type(found) for found in repeated(together, b"".join(reads)) or []} == {kind}
    assert together.facts == one_by_one.facts


def test_the_ends_of_repeated_events_are_places_in_the_data() -> None:
    found = decoder_of(chat, chat("first")).repeats(chat("a") + chat("bc"))
    assert found is not None
    assert found.ends == [len(chat("a")), len(chat("a")) + len(chat("bc"))]


@pytest.mark.parametrize(
    "data",
    [
        chat(""),
        chat("a") + chat("") + chat("b"),
        chat("a") + b": a comment\n\n" + chat("b"),
        chat("a")[:-1],
        chat("a")[:-1] + b"\r\n",
        chat("a") + b"\n",
        chat("a") + sse("[DONE]"),
        sse(openai_chunk({"content": "a"}, "stop")),
        sse(openai_chunk({"content": "a"}, usage={"completion_tokens": 1})),
        sse(openai_chunk({"content": "a", "refusal": "b"})),
        chat("a").replace(b'"a"', b'"\\ud800"'),
        chat("a").replace(b'"a"', b'"\xff"'),
        chat("a").replace(b'"a"', b'"\t"'),
        chat("a").replace(b'"a"', b'"\\x"'),
        chat("a").replace(b'"a"', b'"a","content":"b"'),
        chat("a").replace(b'"a"', b'"a\\"') + chat(',"b'),
        chat("a").replace(b'"a"', b"null"),
        chat("a").replace(b'"m"', b'"other"'),
    ],
    ids=lambda data: data[-60:],
)
def test_what_does_not_repeat_the_event_is_left_to_be_fed(data: bytes) -> None:
    assert repeated(decoder_of(chat, chat("first")), data) is None


@pytest.mark.parametrize(
    "fed",
    [
        [],
        [sse(openai_chunk({"role": "assistant", "content": ""}))],
        [chat("assistant").replace(b'"delta":{', b'"delta":{"role":"assistant",')],
        [chat("first")[:-1]],
        [chat("first"), b"data: "],
        [chat("first"), b"\n"],
        [chat("first"), sse("ping")],
        [chat("first"), sse(openai_chunk({}, "stop"))],
        [chat("first"), sse("[DONE]")],
        [chat('a"')],
        [chat("first").replace(b'"first"', b'"fi\\u0072st"').replace(b'"m"', b'"first"')],
        [chat("first").replace(b'"choices"', b'"extra":1,"choices"')],
        [chat("first").replace(b'"choices"', b'"usage":{"completion_tokens":1},"choices"')],
        [chat("first").replace(b'"index":0', b'"index":0,"error":{"message":"overloaded"}')],
        [chat("first").replace(b'"index":0', b'"index":0,"text":"and"')],
        [chat("first").replace(b"data: ", b"event: error\ndata: ")],
        [chat("first").replace(b"data: ", b"event: ping\ndata: ")],
        [chat("<th")],
        [chat("<think>"), chat("so <")],
    ],
    ids=lambda fed: fed[-1][-60:] if fed else "nothing",
)
def test_nothing_repeats_an_event_that_is_not_sure_to_repeat(fed: list[bytes]) -> None:
    decoder = decoder_of(chat, *fed)
    assert repeated(decoder, fed[-1].replace(b"first", b"a") if fed else chat("a")) is None
    assert repeated(decoder, chat("a")) is None


def test_repeated_text_between_think_tags_is_reasoning() -> None:
    decoder = decoder_of(chat, chat("<think>"), chat("so"))
    assert repeated(decoder, chat(" I") + chat(" see")) == [Reasoning(" I"), Reasoning(" see")]
    assert repeated(decoder, chat(" I") + chat("</think>")) is None, "a tag may end the reasoning"
    list(decoder.feed(chat("</think>")))
    list(decoder.feed(chat("Yes")))
    assert repeated(decoder, chat(".") + chat("<think>")) == [Content("."), Content("<think>")]


def test_lines_may_end_with_cr_and_lf() -> None:
    first, second = (chat(text).replace(b"\n", b"\r\n") for text in ("first", "second"))
    assert repeated(decoder_of(chat, first), second) == [Content("second")]


def test_a_later_event_of_another_kind_is_learnt_anew() -> None:
    decoder = decoder_of(chat, thought("first"), chat("first"))
    assert repeated(decoder, chat("a")) == [Content("a")]
    assert repeated(decoder, thought("a")) is None


def test_a_stream_whose_events_all_differ_is_not_learnt_for_ever() -> None:
    def numbered(number: int) -> bytes:
        return chat("first").replace(b'"m"', b'"%d"' % number)

    for count, learnt in ((MOST_VAIN, True), (MOST_VAIN + 1, False)):
        decoder = decoder_of(chat, *map(numbered, range(count)))
        assert (repeated(decoder, numbered(count - 1)) is not None) is learnt


def test_usage_of_each_event_is_not_lost() -> None:
    event = orjson.dumps(openai_chunk({"content": "first"}, usage={"completion_tokens": 3}))
    assert decoder_of(chat, b"data: " + event + b"\n\n").pattern is None
