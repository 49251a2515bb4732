"""`--json` of a benchmark with more results than the API puts into its document."""

import json
from typing import Any

import pytest

from cli.exits import ExitCode
from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi

_COUNT, _PROMPTS = 2_500, 500


def _long(api: FakeApi) -> list[dict[str, Any]]:
    """A benchmark whose results come in pages, the last of the plan first. Returns them in the order of the plan."""
    text = 'a "…" and\n a ] of 3'
    results = [
        documents.result(number % _PROMPTS, repetition=number // _PROMPTS, response=text) for number in range(_COUNT)
    ]
    api.results = results[::-1]
    api.reads = [(200, documents.benchmark(results=results[:1_000], results_truncated=True))]
    return results


@pytest.mark.parametrize("arguments", [("show", "1"), ("run", "-m", "m", "-p", "x")])
def test_json_of_a_long_run_is_whole_and_in_the_order_of_the_plan(
    api: FakeApi, llmbench: Llmbench, arguments: tuple[str, ...]
) -> None:
    results = _long(api)
    done = llmbench(*arguments, "--json")
    assert done.exit_code == ExitCode.OK
    assert json.loads(done.stdout) == documents.benchmark(results=results, results_truncated=False)


def test_it_is_written_as_short_documents_are(api: FakeApi, llmbench: Llmbench) -> None:
    results = _long(api)
    whole = documents.benchmark(results=results, results_truncated=False)
    assert llmbench("show", "1", "--json").stdout == json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def test_timelines_of_a_long_run_are_asked_for_in_its_pages_too(api: FakeApi, llmbench: Llmbench) -> None:
    _long(api)
    llmbench("show", "1", "--timeline", "--json")
    pages = [target for _, target, _ in api.requests if "/results" in target]
    assert len(pages) == 3
    assert all("include=timeline" in target for target in pages)
