"""The server that is up in this folder, and when `run` uses it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.exits import CliError, Interrupted
from cli.main import app
from cli.options.common import DEFAULT_SERVER
from cli.server.announcement import NAME, Announced, Announcement, announced, digest
from cli.server.here import server_for_run, server_or_default
from shared.providers.endpoints import Endpoint
from shared.providers.identity import Identities
from tests.cli import documents
from tests.cli.fake_api import FakeApi

MINE = {"name": "mine", "protocol": "openai", "base_url": "http://127.0.0.1:9001/v1"}
BODY = {"model": "m", "prompts": ["x"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with no provider, no key and no server set."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name in ("PROVIDERS", "PROVIDERS_FILE", "SIMULATOR_URL", "DATABASE_URL"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("LLMBENCH_SERVER", raising=False)
    return tmp_path


@pytest.fixture
def up(folder: Path, api: FakeApi) -> Iterator[Announcement]:
    """The fake server is up in this folder, with the endpoint `mine`."""
    offer(api, MINE)
    announcement = Announcement(folder)
    announcement.ready(api.url, digest("sqlite:///llmbench.db"))
    yield announcement
    announcement.withdraw()


def offer(api: FakeApi, endpoint: dict[str, Any], *, ready: bool = True) -> None:
    made = Endpoint.model_validate(endpoint)
    item = documents.PROVIDER | {
        "name": made.name,
        "base_url": made.base_url,
        "ready": ready,
        "fingerprint": Identities().of(made).fingerprint,
    }
    api.answers["GET /providers"] = (200, {"items": [item]})


def pause(seconds: float) -> None:
    raise AssertionError("it waits")


def test_an_announcement_is_seen_until_it_is_withdrawn(folder: Path) -> None:
    assert announced(folder) is None
    announcement = Announcement(folder)
    assert announced(folder) == Announced(os.getpid())
    announcement.ready("http://127.0.0.1:8000", "d")
    assert announced(folder) == Announced(os.getpid(), "http://127.0.0.1:8000", "d")
    announcement.withdraw()
    assert announced(folder) is None
    assert list(folder.iterdir()) == []


def test_the_file_of_a_killed_server_is_stale(folder: Path) -> None:
    (folder / NAME).write_text(
        json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:1" + "0" * 200, "database": ""})
    )
    assert announced(folder) is None
    announcement = Announcement(folder)
    announcement.ready("http://127.0.0.1:8000", "d")
    assert announced(folder) == Announced(os.getpid(), "http://127.0.0.1:8000", "d"), "and the next one takes it over"
    announcement.withdraw()


def test_a_second_announcement_changes_nothing(folder: Path) -> None:
    first = Announcement(folder)
    first.ready("http://127.0.0.1:8000", "d")
    second = Announcement(folder)
    second.ready("http://127.0.0.1:9", "e")
    second.withdraw()
    assert announced(folder) == Announced(os.getpid(), "http://127.0.0.1:8000", "d")
    first.withdraw()


def test_a_digest_does_not_show_a_password() -> None:
    assert "secret" not in digest("postgresql://user:secret@host/db")


def test_commands_ask_the_server_of_this_folder(up: Announcement, api: FakeApi) -> None:
    assert server_or_default(None) == api.url
    assert server_or_default("http://other") == "http://other"
    done = CliRunner().invoke(app, ["show", "1"])
    assert done.exit_code == 0, done.output
    assert len(api.sent("GET", "/benchmarks/1")) == 1


def test_without_one_they_ask_the_default_and_say_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert server_or_default(None) == DEFAULT_SERVER
    assert capsys.readouterr().err == ""
    (folder / "llmbench.db").touch()
    assert server_or_default(None) == DEFAULT_SERVER
    assert "no server is up in this folder" in capsys.readouterr().err


def test_run_without_one_starts_its_own(folder: Path) -> None:
    assert server_for_run(dict(BODY), pause) is None


def test_run_uses_the_server_of_this_folder(up: Announcement, api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    body = dict(BODY)
    assert server_for_run(body, pause) == api.url
    assert body == BODY
    assert capsys.readouterr().err == f"using the server that is up in this folder: {api.url}\n"


def test_run_detaches_there(up: Announcement, api: FakeApi) -> None:
    done = CliRunner().invoke(app, ["run", "-m", "m", "-p", "x", "--detach"])
    assert (done.exit_code, done.stdout) == (0, "1\n"), done.output
    assert len(api.sent("POST", "/benchmarks")) == 1


@pytest.mark.parametrize("named", [True, False])
def test_run_names_the_endpoint_that_is_meant_here(
    up: Announcement, api: FakeApi, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.setenv("PROVIDERS", json.dumps([{**MINE, "models": ["m*"]}]))
    body = dict(BODY, provider="mine") if named else dict(BODY)
    assert server_for_run(body, pause) == api.url
    assert body == {**BODY, "provider": "mine"}


@pytest.mark.parametrize(
    ("here", "there", "why"),
    [
        ({**MINE, "name": "ollama"}, MINE, "it has no endpoint 'ollama', which is configured here"),
        (
            {**MINE, "base_url": "http://127.0.0.1:9002/v1"},
            MINE,
            "its endpoint 'mine' (http://127.0.0.1:9001/v1) is not the one that is configured here",
        ),
        ({**MINE, "query": {"api-version": "1"}}, MINE, "is not the one that is configured here"),
    ],
)
def test_run_says_why_it_does_not_use_it(
    up: Announcement,
    api: FakeApi,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    here: dict[str, Any],
    there: dict[str, Any],
    why: str,
) -> None:
    offer(api, there)
    monkeypatch.setenv("PROVIDERS", json.dumps([here]))
    assert server_for_run({**BODY, "provider": here["name"]}, pause) is None
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("has_key", [True, False])
def test_a_key_that_only_this_environment_has_needs_a_stack_of_its_own(
    up: Announcement,
    api: FakeApi,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_key: bool,
) -> None:
    locked = {**MINE, "api_key_env": "MINE_API_KEY"}
    offer(api, locked, ready=False)
    monkeypatch.setenv("PROVIDERS", json.dumps([locked]))
    if has_key:
        monkeypatch.setenv("MINE_API_KEY", "secret")
    body = {**BODY, "provider": "mine"}
    # Without the key here either, the server says what is missing.
    assert server_for_run(body, pause) == (None if has_key else api.url)
    assert ("it has no key for 'mine', which is set here" in capsys.readouterr().err) is has_key


def test_a_key_that_only_the_server_has_is_used(
    up: Announcement, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = {**MINE, "api_key_env": "MINE_API_KEY", "models": ["m*"]}
    offer(api, locked)
    monkeypatch.setenv("PROVIDERS", json.dumps([locked]))
    body = dict(BODY)
    assert server_for_run(body, pause) == api.url
    assert body["provider"] == "mine"


def test_another_database_needs_a_stack_of_its_own(
    up: Announcement, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///other.db")
    assert server_for_run(dict(BODY), pause) is None
    assert "it has another database" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_URL", "sqlite:///llmbench.db")
    assert server_for_run(dict(BODY), pause) is not None


def test_run_waits_for_a_server_that_starts(folder: Path, api: FakeApi) -> None:
    offer(api, MINE)
    announcement = Announcement(folder)
    assert server_for_run(dict(BODY), lambda _: announcement.ready(api.url, "d")) == api.url
    announcement.withdraw()


def test_run_starts_its_own_if_the_other_gives_up(folder: Path) -> None:
    announcement = Announcement(folder)
    assert server_for_run(dict(BODY), lambda _: announcement.withdraw()) is None


def test_the_wait_can_be_interrupted(folder: Path) -> None:
    announcement = Announcement(folder)

    def interrupt(_: float) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        server_for_run(dict(BODY), interrupt)
    announcement.withdraw()


def test_a_server_that_does_not_answer_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announcement = Announcement(folder)
    announcement.ready("http://127.0.0.1:1", "d")
    monkeypatch.setenv("PROVIDERS", json.dumps([MINE]))
    with pytest.raises(CliError, match="no server answers"):
        server_for_run({**BODY, "provider": "mine"}, pause)
    announcement.withdraw()
