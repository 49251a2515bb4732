"""`llmbench keys` and `whoami`, and the key that every command sends."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from shared.access.api_key import make, parse
from tests.cli.conftest import Llmbench
from tests.cli.documents import problem
from tests.cli.fake_api import FakeApi, serving

KEY = make().text
OTHER = make().text
ROW: dict[str, Any] = {
    "id": "ab12cd34",
    "name": "ci",
    "owner": "acme",
    "scope": "run",
    "state": "usable",
    "created_at": "2026-11-27T07:00:00Z",
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}
PAGE = {"items": [], "next_cursor": None}


def call(api: FakeApi, *arguments: str, **environment: str) -> Result:
    env: dict[str, str | None] = {"LLMBENCH_SERVER": api.url, **environment}
    return CliRunner().invoke(app, list(arguments), env=env)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the commands, without a `.env`."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_key_comes_from_a_file_then_from_the_environment_then_from_env_file(api: FakeApi, folder: Path) -> None:
    api.answers["GET /benchmarks"] = (200, PAGE)
    call(api, "list")
    (folder / ".env").write_text(f"LLMBENCH_API_KEY={KEY}\n", encoding="utf-8")
    call(api, "list")
    call(api, "list", LLMBENCH_API_KEY=OTHER)
    (folder / "key").write_text(KEY + "\n", encoding="utf-8")
    call(api, "list", "--api-key-file", "key", LLMBENCH_API_KEY=OTHER)
    call(api, "list", LLMBENCH_API_KEY=OTHER, LLMBENCH_API_KEY_FILE="key")
    assert api.authorizations == [
        None,
        f"Bearer {KEY}",
        f"Bearer {OTHER}",
        f"Bearer {KEY}",
        f"Bearer {KEY}",
    ]


def test_what_is_no_key_of_ours_is_not_sent_and_not_repeated(api: FakeApi, folder: Path) -> None:
    provider_key = "sk-ant-api03-0123456789abcdefghij"
    done = call(api, "list", LLMBENCH_API_KEY=provider_key)
    assert (done.exit_code, "LLMBENCH_API_KEY is malformed" in done.stderr) == (2, True)
    (folder / "key").write_text(KEY[:-1] + ("0" if KEY[-1] != "0" else "1"), encoding="utf-8")
    done = call(api, "list", "--api-key-file", "key")
    assert (done.exit_code, "its checksum is wrong" in done.stderr) == (2, True)
    done = call(api, "list", "--api-key-file", "nothing")
    assert (done.exit_code, "cannot read nothing: No such file" in done.stderr) == (2, True)
    assert provider_key not in done.output
    assert api.requests == []


def test_a_key_on_the_command_line_is_refused(api: FakeApi) -> None:
    done = call(api, "list", "--api-key", KEY)
    assert (done.exit_code, api.requests) == (2, [])
    assert "can be read by every user of this machine" in done.stderr
    assert KEY not in done.output


def test_the_key_goes_to_no_other_server(api: FakeApi) -> None:
    """A redirect, even of the right server, is not followed."""
    with serving(FakeApi()) as other:
        api.moved_to = other.url
        done = call(api, "list", LLMBENCH_API_KEY=KEY)
    assert done.exit_code != 0
    assert (api.authorizations, other.requests) == ([f"Bearer {KEY}"], [])


@pytest.mark.parametrize(
    ("status", "code", "detail", "told"),
    [
        (401, "authentication_required", "send an API key", "needs an API key\n"),
        (401, "invalid_key", "the API key was revoked", "error: the API key was revoked\n"),
        (403, "missing_scope", "this needs a key with the scope run", "`llmbench whoami` says what the key is"),
    ],
)
@pytest.mark.parametrize("command", [("list",), ("run", "--prompt", "hi", "--model", "sim-ttft5")])
def test_a_server_that_wants_a_key_is_explained(
    api: FakeApi, command: tuple[str, ...], status: int, code: str, detail: str, told: str
) -> None:
    refusal = (status, {**problem(status, detail), "code": code})
    api.answers |= {"GET /benchmarks": refusal}
    api.submit = refusal
    done = call(api, *command)
    assert (done.exit_code, told in done.stderr) == (2, True)
    assert (status == 403) or "LLMBENCH_API_KEY" in done.stderr


def test_create_prints_the_key_alone_on_stdout(api: FakeApi) -> None:
    api.answers["POST /keys"] = (201, {**ROW, "key": KEY, "notice": None})
    done = call(api, "keys", "create", "ci", "--owner", "acme", "--expires", "90d", "--requests-per-minute", "60")
    assert (done.exit_code, done.stdout) == (0, KEY + "\n")
    assert "shown only now" in done.stderr
    assert KEY not in done.stderr
    (sent,) = api.sent("POST", "/keys")
    assert sent.pop("expires_at").startswith("20")
    assert sent == {
        "name": "ci",
        "owner": "acme",
        "scope": "run",
        "requests_per_minute": 60,
        "concurrent_requests": None,
    }


def test_create_tells_that_open_access_has_ended(api: FakeApi) -> None:
    api.answers["POST /keys"] = (
        201,
        {**ROW, "key": KEY, "notice": "Open access has ended: every request needs a key."},
    )
    done = call(api, "keys", "create", "me", "--scope", "admin", "--expires", "2030-01-31")
    assert "Open access has ended" in done.stderr
    assert api.sent("POST", "/keys")[0]["expires_at"] == "2030-01-31"


@pytest.mark.parametrize("expires", ["5", "90", "999999d", "soon", "", "0d"])
def test_a_wrong_expiry_is_said_in_the_words_of_the_option(api: FakeApi, expires: str) -> None:
    done = call(api, "keys", "create", "ci", "--expires", expires)
    assert (done.exit_code, api.requests) == (2, [])
    assert f"--expires {expires!r}: must be days, such as 90d, or a date, such as 2030-01-31" in done.stderr


def test_list_shows_all_owners_without_secrets(api: FakeApi) -> None:
    api.answers["GET /keys"] = (200, {"items": [ROW], "next_cursor": None})
    done = call(api, "keys", "list")
    assert done.stdout.splitlines()[1].split()[:5] == ["ab12cd34", "acme", "ci", "run", "usable"]
    assert api.requests[0][1] == "/keys?owner=%2A&limit=200"
    call(api, "keys", "list", "--owner", "acme")
    assert "owner=acme" in api.requests[1][1]


def test_the_last_admin_key_is_revoked_only_with_a_warning(api: FakeApi) -> None:
    admin = {**ROW, "scope": "admin"}
    gone = {**admin, "id": "zz12cd34", "state": "revoked"}
    api.answers |= {"GET /keys": (200, {"items": [ROW, admin, gone], "next_cursor": None})}
    api.answers |= {"DELETE /keys/ab12cd34": (204, None)}
    api.answers["GET /keys"] = (200, {"items": [admin, gone], "next_cursor": None})
    done = call(api, "keys", "revoke", "ab12cd34")
    assert (done.exit_code, "the last usable admin key" in done.stderr) == (2, True)
    assert api.sent("DELETE", "/keys/ab12cd34") == []
    done = call(api, "keys", "revoke", "ab12cd34", "--yes")
    assert (done.exit_code, done.stdout) == (0, "key ab12cd34 is revoked\n")
    assert "the last usable admin key" in done.stderr
    api.answers["GET /keys"] = (200, {"items": [admin, {**admin, "id": "cc12cd34"}], "next_cursor": None})
    done = call(api, "keys", "revoke", "ab12cd34")
    assert (done.exit_code, done.stderr) == (0, "")


def test_revoke_wants_an_id_and_does_not_repeat_a_whole_key(api: FakeApi) -> None:
    done = call(api, "keys", "revoke", KEY)
    assert (done.exit_code, KEY in done.output, api.requests) == (2, False, [])


def test_whoami_names_owner_scope_and_key(llmbench: Llmbench, api: FakeApi) -> None:
    told = {"owner": "acme", "scope": "run", "via": "key", "key_id": "ab12cd34", "key_name": "ci", "expires_at": None}
    api.answers["GET /whoami"] = (200, told)
    lines = llmbench("whoami").stdout.splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines[1:]] == ["acme", "run", "ab12cd34 (ci)", "never"]
    api.answers["GET /whoami"] = (200, {**told, "via": "local", "key_id": None, "key_name": None})
    assert "this server has no keys" in llmbench("whoami").stdout


def test_bootstrap_makes_one_key_in_the_database(folder: Path) -> None:
    runner, env = CliRunner(), {"DATABASE_URL": "sqlite:///llmbench.db"}
    done = runner.invoke(app, ["keys", "bootstrap"], env=env)
    assert done.exit_code == 0, done.output
    key = parse(done.stdout.strip())
    assert "each request to them needs a key" in done.stderr
    assert key.secret not in (folder / "llmbench.db").read_bytes().decode("latin-1")
    done = runner.invoke(app, ["keys", "bootstrap"], env=env)
    assert (done.exit_code, key.id in done.stderr, "--another" in done.stderr) == (1, True, True)
    done = runner.invoke(app, ["keys", "bootstrap", "--another", "--name", "recovery"], env=env)
    assert (done.exit_code, parse(done.stdout.strip()).id != key.id) == (0, True)


def test_bootstrap_makes_the_folder_that_up_names_when_it_refuses(folder: Path) -> None:
    """`llmbench up --host 0.0.0.0 --data-dir data` says which database needs a key, before it makes anything."""
    refused = CliRunner().invoke(app, ["up", "--host", "0.0.0.0", "--data-dir", "data"])
    url = next(line for line in refused.stderr.splitlines() if "The database is " in line).rpartition(" ")[2]
    done = CliRunner().invoke(app, ["keys", "bootstrap"], env={"DATABASE_URL": url})
    assert (done.exit_code, (folder / "data" / "llmbench.db").exists()) == (0, True), done.output


def test_bootstrap_says_that_the_secret_key_of_the_admin_key_is_missing(folder: Path) -> None:
    env = {"DATABASE_URL": "sqlite:///llmbench.db", "SECRET_KEY": "p" * 32}
    done = CliRunner().invoke(app, ["keys", "bootstrap"], env=env)
    key = parse(done.stdout.strip())
    assert "sqlite:///llmbench.db with the same SECRET_KEY" in done.stderr
    done = CliRunner().invoke(app, ["keys", "bootstrap"], env=env)
    assert "there is a usable admin key already" in done.stderr
    done = CliRunner().invoke(app, ["keys", "bootstrap"], env={"DATABASE_URL": "sqlite:///llmbench.db"})
    assert (done.exit_code, key.id in done.stderr, "--another" in done.stderr) == (1, True, True)
    assert "the SECRET_KEY that it was made with is not set here" in done.stderr


@pytest.mark.parametrize("name", ["", "  ", "n" * 101, "two\nlines", "\udcff"])
def test_bootstrap_refuses_names_that_no_list_can_show(folder: Path, name: str) -> None:
    done = CliRunner().invoke(app, ["keys", "bootstrap", "--name", name], env={"DATABASE_URL": "sqlite:///llmbench.db"})
    assert (done.exit_code, "--name must have 1 to 100 printable characters" in done.stderr) == (2, True)
    assert list(folder.iterdir()) == []


def test_bootstrap_names_what_is_wrong_with_the_database(folder: Path) -> None:
    (folder / "llmbench.db").write_bytes(b"no database")
    done = CliRunner().invoke(app, ["keys", "bootstrap"], env={"DATABASE_URL": "sqlite:///llmbench.db"})
    assert (done.exit_code, "cannot use the database" in done.stderr) == (3, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7"])
def test_up_is_refused_before_it_starts_anything(folder: Path, host: str) -> None:
    done = CliRunner().invoke(app, ["up", "--host", host, "--data-dir", "data"])
    assert (done.exit_code, f"not started: the API is bound to {host}" in done.stderr) == (2, True)
    assert "llmbench keys bootstrap" in done.stderr
    assert list(folder.iterdir()) == []
