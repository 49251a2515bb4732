"""The parser gives the same events wherever the reads were cut."""

import json
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocols.json_values import NOT_JSON
from shared.protocols.sse import ServerSentEvent, SseParser
from tests.support.servers.scripted import cut


def parse(pieces: list[bytes]) -> list[ServerSentEvent]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


STREAM = (
    'event: message_start\ndata: {"a": 1}\n\n: a comment\n\ndata: two\ndata: lines\n\n'
    'id: 7\nretry: 10\nevent: x\r\ndata: "grüße 🚀"\r\n\r\ndata:no space\r\rdata\n\n'
).encode()
EVENTS = [
    ServerSentEvent("message_start", '{"a": 1}', {"a": 1}),
    ServerSentEvent("message", "two\nlines"),
    ServerSentEvent("x", '"grüße 🚀"', "grüße 🚀"),
    ServerSentEvent("message", "no space"),
    ServerSentEvent("message", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, len(STREAM)])
def test_events_do_not_depend_on_where_reads_were_cut(size: int) -> None:
    assert parse(cut(STREAM, size)) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_do_not_depend_on_any_set_of_cuts(places: list[int]) -> None:
    bounds = [0, *sorted(places), len(STREAM)]
    pieces = [STREAM[begin:end] for begin, end in pairwise(bounds)]
    assert parse(pieces) == EVENTS


LINE = st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(LINE, st.lists(LINE, min_size=1, max_size=3)), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 9),
)
def test_what_was_written_is_what_is_read(written: list[tuple[str, list[str]]], newline: str, size: int) -> None:
    text = "".join(
        f"event: {name}{newline}" + "".join(f"data: {line}{newline}" for line in lines) + newline
        for name, lines in written
    )
    expected = [(name or "message", "\n".join(lines)) for name, lines in written]
    # Data that happens to be JSON is parsed too.
    assert [(found.event, found.data) for found in parse(cut(text.encode(), size))] == expected


@given(st.binary(max_size=200), st.integers(1, 50))
def test_no_bytes_break_the_parser(data: bytes, size: int) -> None:
    assert parse(cut(data, size)) == parse([data])


def test_a_byte_order_mark_is_not_part_of_the_first_field() -> None:
    assert parse(cut(b"\xef\xbb\xbfdata: x\n\n", 1)) == [ServerSentEvent("message", "x")]


def test_an_event_without_data_is_none() -> None:
    assert parse([b"event: ping\n\n", b": only a comment\n\n"]) == []


def test_the_end_completes_an_event_without_a_blank_line() -> None:
    assert parse([b"data: [DONE]"]) == [ServerSentEvent("message", "[DONE]")]


def test_invalid_utf8_is_replaced_and_remembered() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\xffb\n\n") == [ServerSentEvent("message", "a\ufffdb")]
    assert parser.invalid_utf8


def documents(*pieces: bytes) -> list[object]:
    return [event.document for event in parse(list(pieces))]


@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_events_without_a_blank_line_between_them_are_told_apart(size: int) -> None:
    assert documents(*cut(b'data: {"a":1}\ndata: {"b":2}\n\ndata: ping\ndata: {"c":3}\n', size)) == [
        {"a": 1},
        {"b": 2},
        NOT_JSON,
        {"c": 3},
    ]


def test_a_document_is_an_event_with_the_read_that_completes_its_line() -> None:
    parser = SseParser()
    assert [event.document for event in parser.feed(b'data: {"a":1}\n')] == [{"a": 1}]
    assert not parser.events_unseparated
    assert [event.document for event in parser.feed(b'data: {"b":2}\n')] == [{"b": 2}]
    assert parser.events_unseparated


def test_a_document_over_several_data_lines_is_one_event() -> None:
    assert documents(b'data: {"a":\ndata: {"b":2}\ndata: }\n\n') == [{"a": {"b": 2}}]


@pytest.mark.parametrize("size", [1, 4, 1_000])
def test_a_document_outside_a_data_line_is_an_event(size: int) -> None:
    stream = b'data: {"a":1}\n\n{"error": {\n "message": "x"\n}}\n\ndata: {"b":2}\n\n'
    events = parse(cut(stream, size))
    assert [event.document for event in events] == [{"a": 1}, {"error": {"message": "x"}}, {"b": 2}]
    assert [event.bare for event in events] == [False, True, False]


def test_a_whole_document_without_a_line_end_is_known_before_the_stream_ends() -> None:
    parser = SseParser()
    assert parser.feed(b'{"a": [1,') + parser.take_open_document() == []
    assert parser.feed(b" 2]}") == []
    assert [event.document for event in parser.take_open_document()] == [{"a": [1, 2]}]
    assert parser.finish() == []


def test_an_error_in_a_field_of_that_name_is_an_event() -> None:
    assert parse([b'error: {"message":"x"}\n\n']) == [ServerSentEvent("error", '{"message":"x"}', {"message": "x"})]


def test_lines_that_belong_to_no_event_are_kept_up_to_a_bound() -> None:
    parser = SseParser()
    assert parser.feed(b"Internal Server Error\n" * 1_000) == []
    assert parser.stray.startswith("Internal Server Error\nInternal")
    assert len(parser.stray) <= 4_000


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_documents_in_one_line_are_events_wherever_it_is_cut(size: int, end: bytes) -> None:
    found = parse(cut(b'{"a": 1}{"b": 2} {\n"c": 3}]' + end, size))
    assert [event.document for event in found] == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert all(event.bare for event in found)


def test_a_data_line_after_a_document_in_one_line_is_read() -> None:
    found = parse([b'{"a": 1}data: {"b": 2}\n\n'])
    assert [event.document for event in found] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("before", ["data: ", ""])
@pytest.mark.parametrize("closing", [1, 2_000, 100_000])
def test_a_document_of_many_lines_is_an_event_before_the_blank_line(before: str, closing: int) -> None:
    """Every line may be its end, so it is tried again and again."""
    lines = [f"{before}[", *[f"{before}{{}}", f"{before},"] * closing, f"{before}0", f"{before}]"]
    parser = SseParser()
    events = parser.feed("\n".join(lines).encode() + b"\n") or parser.finish()
    assert [len(event.document) for event in events] == [closing + 1]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("line", [b' "x": 1', b' datum: {"b": 2}', b"\t: comment"])
def test_a_line_after_a_document_keeps_its_leading_spaces_wherever_it_is_cut(size: int, line: bytes) -> None:
    parser = SseParser()
    found = [event for read in cut(b'{"a":\n1}x\n' + line + b"\n", size) for event in parser.feed(read)]
    assert [event.document for event in [*found, *parser.finish()]] == [{"a": 1}]
    assert parser.stray == f"x\n{line.decode()}\n"


SIZES = pytest.mark.parametrize("size", [1, 2, 5, 1_000])


@SIZES
@pytest.mark.parametrize("prefix", [b"data: data: ", b"data:data:", b"data: data: data:  "])
def test_a_line_that_was_wrapped_twice_is_read(size: int, prefix: bytes) -> None:
    found = parse(cut(prefix + b'{"a": 1}\n\n' + prefix + b"[DONE]\n\n", size))
    assert [(event.data, event.document) for event in found] == [('{"a": 1}', {"a": 1}), ("[DONE]", NOT_JSON)]


@pytest.mark.parametrize("text", ["data: data: words", "data:", "data: 17", 'the line data: {"a": 1}'])
def test_only_framing_before_a_document_is_taken_off(text: str) -> None:
    assert [event.data for event in parse([f"data: {text}\n\n".encode()])] == [text]
    document = orjson.dumps({"content": text}).decode()
    assert [event.document for event in parse([f"data: {document}\n\n".encode()])] == [{"content": text}]


@SIZES
@pytest.mark.parametrize("between", [b"", b" ", b"data: ", b" data:", b"data: data: ", b"\0"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\0\n\n", b" \n\n"])
def test_documents_in_one_data_line_are_events(size: int, between: bytes, end: bytes) -> None:
    parts = [b'{"a": "}{"}', b'[{"b": "data: {}"}]', b"[DONE]"]
    found = parse(cut(b"data: " + between.join(parts) + end, size))
    assert [event.document for event in found] == [{"a": "}{"}, [{"b": "data: {}"}], NOT_JSON]
    assert (found[-1].data, any(event.bare for event in found)) == ("[DONE]", False)


@pytest.mark.parametrize("rest", ["}", 'nt": "Hi"}', 'x{"b": 2}', ',{"b": 2}'])
def test_a_data_line_with_anything_but_documents_is_none(rest: str) -> None:
    assert parse([f'data: {{"a": 1}}{rest}\n\n'.encode()]) == [ServerSentEvent("message", f'{{"a": 1}}{rest}')]


@SIZES
@pytest.mark.parametrize("before", [b"data: ", b""])
def test_a_name_is_that_of_one_event_where_no_blank_line_ends_it(size: int, before: bytes) -> None:
    lines = [b"event: ping\n", before + b"{}\n", before + b'{"a": 1}\n', b"event: x\n", before + b"[1]\n"]
    found = parse(cut(b"".join(lines), size))
    assert [(event.event, event.document) for event in found] == [("ping", {}), ("message", {"a": 1}), ("x", [1])]


@SIZES
def test_a_name_is_that_of_the_word_before_a_document(size: int) -> None:
    found = parse(cut(b'event: ping\ndata: alive\ndata: {"a": 1}\n\n', size))
    assert [(event.event, event.data) for event in found] == [("ping", "alive"), ("message", '{"a": 1}')]


@SIZES
@pytest.mark.parametrize("space", [b" ", b"\t", b"    "])
def test_fields_are_read_behind_spaces(size: int, space: bytes) -> None:
    lines = [b"event: x", b'data: {"a": 1}', b"", b"data: words", b"id: 1", b"", b'{"b":', b"1}", b'data: {"c": 1}']
    parser = SseParser()
    found = [
        event
        for read in cut(b"".join(space + line + b"\n" if line else b"\n" for line in lines), size)
        for event in parser.feed(read)
    ]
    assert [(event.event, event.data) for event in [*found, *parser.finish()]] == [
        ("x", '{"a": 1}'),
        ("message", "words"),
        ("message", (space + b'{"b":\n' + space + b"1}").decode()),
        ("message", '{"c": 1}'),
    ]
    assert parser.stray == ""


@SIZES
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_a_document_of_which_only_the_first_line_is_a_data_line_is_an_event(size: int, end: bytes) -> None:
    document = {"id": "c1", "choices": [{"delta": {"content": "data: {}"}}, [], {}], "usage": None}
    pretty = json.dumps(document, indent=2).encode()
    assert documents(*cut(b"data: " + pretty + b"\n: comment\n\ndata: " + pretty + end, size)) == [document] * 2


def test_a_text_with_control_characters_as_they_are_is_json() -> None:
    assert documents(b'data: {"a": "x\ty\0"}\n\n', b'{"b": "\t"}\n') == [{"a": "x\ty\0"}, {"b": "\t"}]
