"""Prompts from files and stdin."""

from pathlib import Path

import pytest

from cli.exits import CliError, ExitCode
from cli.options.prompts import load_prompts


def _file(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_text_file_holds_a_prompt_a_line_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    assert load_prompts(_file(tmp_path, "p.txt", "one\r\n\n  two \nthree")) == ["one", "  two ", "three"]


def test_only_a_newline_ends_a_prompt(tmp_path: Path) -> None:
    assert load_prompts(_file(tmp_path, "p.txt", "a\u2028b\x0cc\x85d\n")) == ["a\u2028b\x0cc\x85d"]


def test_a_byte_order_mark_is_no_part_of_the_first_prompt(tmp_path: Path) -> None:
    assert load_prompts(_file(tmp_path, "p.txt", b"\xef\xbb\xbfone\n")) == ["one"]


def test_a_text_file_is_never_read_as_json(tmp_path: Path) -> None:
    assert load_prompts(_file(tmp_path, "p.txt", '"quoted"\n{"a": 1}\n')) == ['"quoted"', '{"a": 1}']


def test_json_lines_are_texts_or_prompt_objects(tmp_path: Path) -> None:
    lines = '"two\\nlines"\n\n{"messages": [{"role": "user", "content": "hi"}]}\n'
    assert load_prompts(_file(tmp_path, "p.jsonl", lines)) == [
        "two\nlines",
        {"messages": [{"role": "user", "content": "hi"}]},
    ]


def test_a_json_file_holds_an_array_of_prompts(tmp_path: Path) -> None:
    assert load_prompts(_file(tmp_path, "p.json", '["one", {"messages": []}]')) == ["one", {"messages": []}]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.jsonl", '"fine"\n{broken\n', "line 2 is not JSON"),
        ("p.jsonl", "42\n", "line 1 must be a JSON string or a prompt object"),
        ("p.json", '{"a": 1}', "must be a JSON array"),
        ("p.txt", "\n \n", "holds no prompt"),
        ("p.txt", b"fine\n\xff\xfe\n", "line 2 is not UTF-8"),
    ],
)
def test_a_wrong_file_is_a_usage_error_that_names_the_line(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(CliError, match=words) as caught:
        load_prompts(_file(tmp_path, name, content))
    assert caught.value.code == ExitCode.USAGE


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(CliError, match="No such file"):
        load_prompts("/nowhere/p.txt")
