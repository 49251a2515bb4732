"""`llmbench datasets`: what is sent, what is printed, and what is refused before anything is sent."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.schemas.datasets import DatasetOut, DatasetRowOut
from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi

LENGTHS = {"count": 2, "total": 90, "min": 40, "mean": 45.0, "p50": 45.0, "p90": 49.0, "p99": 49.9, "max": 50}


def dataset(number: int = 1, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": number,
        "name": "Support chats",
        "format": "csv",
        "kind": "prompts",
        "options": {"column": "q"},
        "sha256": "a" * 64,
        "size_bytes": 482_133,
        "rows": 2,
        "conversations": 0,
        "turns": 2,
        "left_out": {},
        "input_tokens": LENGTHS,
        "output_tokens": None,
        "token_source": "estimate",
        "tokenizer": "o200k",
        "span_s": None,
        "created_at": "2026-11-27T00:14:00Z",
        **changes,
    }
    DatasetOut.model_validate(document)
    return document


TRACE = {
    "format": "burstgpt",
    "kind": "trace",
    "options": {},
    "token_source": "trace",
    "tokenizer": None,
    "span_s": 118.0,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chats.csv"
    path.write_bytes(b"q\nhi\n")
    return path


def test_a_file_is_sent_as_it_is_with_its_name_format_and_options(api: FakeApi, llmbench: Llmbench, file: Path) -> None:
    api.answers["POST /datasets"] = (201, dataset())
    done = llmbench("datasets", "add", str(file), "--column", "q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert api.sent("POST", "/datasets") == [b"q\nhi\n"]
    ((_, target, _),) = api.requests
    assert parse_qs(urlsplit(target).query) == {"name": ["chats.csv"], "format": ["csv"], "column": ["q"]}
    assert "dataset 1: Support chats" in done.stdout
    assert "40 to 50 tokens: p50 45, p90 49, p99 50; 90 altogether (estimate)" in done.stdout


def test_every_option_of_sharegpt_is_sent(api: FakeApi, llmbench: Llmbench, file: Path) -> None:
    api.answers["POST /datasets"] = (201, dataset(left_out={"no_pair": 1, "prompt_too_long": 30}))
    names = (
        "min-turns",
        "min-prompt-tokens",
        "max-prompt-tokens",
        "min-output-tokens",
        "max-total-tokens",
        "max-pairs",
    )
    options = [part for number, name in enumerate(names, 2) for part in (f"--{name}", f"{number}")]
    done = llmbench("datasets", "add", str(file), "--name", "x", "--format", "sharegpt", *options)
    sent = {name.replace("-", "_"): [f"{number}"] for number, name in enumerate(names, 2)}
    assert parse_qs(urlsplit(api.requests[0][1]).query) == {"name": ["x"], "format": ["sharegpt"], **sent}
    assert "left out   prompt_too_long 30, no_pair 1" in done.stdout


def test_a_file_that_was_stored_before_says_so_on_stderr(api: FakeApi, llmbench: Llmbench, file: Path) -> None:
    api.answers["POST /datasets"] = (200, dataset(7))
    assert llmbench("datasets", "add", str(file)).stderr == "the same file was stored before, as dataset 7\n"
    done = llmbench("datasets", "add", str(file), "--json")
    assert (json.loads(done.stdout), done.stderr) == (dataset(7), "")


def test_wrong_lines_are_printed(api: FakeApi, llmbench: Llmbench, file: Path) -> None:
    wrong = [{"field": "line 3", "message": "is not JSON", "code": "invalid_row"}]
    api.answers["POST /datasets"] = (422, {**documents.problem(422, "line 3: is not JSON"), "errors": wrong})
    done = llmbench("datasets", "add", str(file))
    assert done.exit_code == ExitCode.USAGE
    assert "  line 3: is not JSON\n" in done.stderr


def test_an_ending_that_says_nothing_needs_a_format(api: FakeApi, llmbench: Llmbench, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_bytes(b"x")
    done = llmbench("datasets", "add", str(path))
    assert (done.exit_code, api.requests) == (ExitCode.USAGE, [])
    assert "its ending does not say its format: add --format" in done.stderr
    assert llmbench("datasets", "add", str(tmp_path / "missing.csv")).exit_code == ExitCode.USAGE


def test_a_list_has_a_row_each_and_says_when_it_is_cut(api: FakeApi, llmbench: Llmbench) -> None:
    api.answers["GET /datasets"] = (200, {"items": [dataset(2), dataset(1, **TRACE)], "next_cursor": "next"})
    done = llmbench("datasets", "list", "--limit", "2")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["id", "2", "1"]
    assert done.stderr == "the newest 2; --limit lists more\n"
    api.answers["GET /datasets"] = (200, {"items": [], "next_cursor": None})
    assert llmbench("datasets", "list").stderr == "no datasets\n"
    assert json.loads(llmbench("datasets", "list", "--json").stdout) == []


@pytest.mark.parametrize("kind", ["prompts", "trace"])
def test_show_prints_facts_and_rows_of_each_kind(api: FakeApi, llmbench: Llmbench, kind: str) -> None:
    empty = dict.fromkeys(DatasetRowOut.model_fields)
    row = {
        "prompts": {**empty, "row": 0, "history": [], "turns": [{"text": "hi\nyou", "max_tokens": 9, "think_s": 0.0}]},
        "trace": {**empty, "row": 0, "at_s": 5.25, "input_tokens": 472, "output_tokens": 18, "hash_ids": [1, 2]},
    }[kind]
    DatasetRowOut.model_validate(row)
    api.answers["GET /datasets/1"] = (200, dataset(**(TRACE if kind == "trace" else {})))
    api.answers["GET /datasets/1/rows"] = (200, {"items": [row], "next_cursor": None})
    last = llmbench("datasets", "show", "1", "--rows", "3").stdout.splitlines()[-1]
    assert last.split() == {"prompts": ["0", "0", "9", "hi", "you"], "trace": ["0", "5.250", "472", "18", "2"]}[kind]
    assert api.requests[-1][1] == "/datasets/1/rows?limit=3"
    assert json.loads(llmbench("datasets", "show", "1", "--rows", "3", "--json").stdout) == [row]
    assert json.loads(llmbench("datasets", "show", "1", "--json").stdout)["id"] == 1


def test_delete_needs_yes_without_a_terminal(api: FakeApi, llmbench: Llmbench) -> None:
    assert llmbench("datasets", "delete", "1").exit_code == ExitCode.USAGE
    api.answers["DELETE /datasets/1"] = (204, None)
    assert llmbench("datasets", "delete", "1", "--yes").stdout == "dataset 1 is deleted\n"
    message = "dataset 2 is used by open benchmarks: 7"
    api.answers["DELETE /datasets/2"] = (409, documents.problem(409, message))
    done = llmbench("datasets", "delete", "2", "-y")
    assert (done.exit_code, done.stderr) == (ExitCode.USAGE, f"error: {message}\n")
