"""`--owner` of the commands that read, cancel and delete: an admin reaches what belongs to another owner."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli import documents
from tests.cli.conftest import Llmbench
from tests.cli.fake_api import FakeApi


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("show", "1"),
        ("show", "1", "--json", "--results"),
        ("show", "1", "--results", "--timeline"),
        ("compare", "1", "2"),
        ("curve", "1"),
        ("export", "1", "-o", "run.csv", "--force"),
        ("report", "1", "-o", "report.html", "--force"),
        ("datasets", "list"),
        ("datasets", "show", "1", "--rows", "5"),
        ("cancel", "1"),
        ("delete", "1", "--yes"),
    ],
    ids=" ".join,
)
def test_each_request_of_a_command_names_the_owner(
    api: FakeApi, llmbench: Llmbench, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    summary = documents.benchmark()["summary"]
    counts = {**summary["requests"], "errored": 1}
    api.reads = [(200, documents.benchmark(summary={**summary, "requests": counts}))]
    llmbench(*command, "--owner", "acme")
    asked = [parse_qs(urlsplit(target).query).get("owner") for _, target, _ in api.requests]
    assert asked
    assert asked == [["acme"]] * len(asked)
    api.requests.clear()
    llmbench(*command)
    assert api.requests
    assert [target for _, target, _ in api.requests if "owner" in target] == []
