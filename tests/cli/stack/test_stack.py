"""Parts of the embedded stack, without starting it."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.database import migrate, missing_migrations, shown
from cli.exits import CliError, ExitCode
from cli.follow import progress_text
from cli.server.announcement import Announced, Announcement, announced
from cli.server.client import Client
from cli.stack import EmbeddedStack, environment
from cli.stack.folder_lock import FolderLock
from cli.stack.process import Child
from cli.stack.readiness import readiness
from cli.stack.tail import Tail
from cli.stack.valkey import check_reachable
from tests.cli.fake_api import FakeApi


def test_what_is_set_in_the_environment_replaces_its_embedded_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("REDIS_URL", "redis://h/0")
    parts = environment.parts(isolated=False)
    assert (parts.database_url, parts.redis_url) == ("postgresql://h/d", "redis://h/0")


def test_what_is_set_in_an_env_file_counts_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert environment.parts(isolated=False).database_url is None
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://h/d\n")
    assert environment.parts(isolated=False).database_url == "postgresql://h/d"


def test_an_isolated_stack_sees_no_setting_and_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("DATABASE_URL=mysql://wrong\n")
    named = (
        "DATABASE_URL",
        "redis_url",
        "PROVIDERS_FILE",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY_FILE",
        "SECRET_KEY_FILE",
    )
    for name in named:
        monkeypatch.setenv(name, "nonsense")
    parts = environment.parts(isolated=True)
    assert (parts.database_url, parts.redis_url, parts.simulator_url) == (None, None, None)
    assert "nonsense" not in parts.environment.values()
    assert "PATH" in parts.environment


def test_valkey_and_simulator_get_no_key() -> None:
    assert environment.without_keys({"OPENAI_API_KEY": "k", "LOG_LEVEL": "INFO"}) == {"LOG_LEVEL": "INFO"}


def test_the_default_database_is_in_the_current_folder(tmp_path: Path) -> None:
    assert environment.sqlite_url(Path()) == "sqlite:///llmbench.db"
    assert environment.sqlite_url(tmp_path) == f"sqlite:///{tmp_path}/llmbench.db"


def test_programs_that_start_at_once_share_one_encryption_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as programs:
        keys = set(programs.map(environment.encryption_key, [tmp_path] * 8))
    assert len(keys) == 1
    assert len(keys.pop()) == 44
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("llmbench.key", 0o600)]


def test_of_two_stacks_in_one_folder_the_second_says_so(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(CliError, match="another `llmbench up` uses the database of the folder") as refused:
        FolderLock(tmp_path)
    assert refused.value.code == ExitCode.USAGE
    first.release()
    FolderLock(tmp_path).release()


def test_a_server_that_is_ending_is_no_longer_announced(tmp_path: Path) -> None:
    seen: list[Announced | None] = []
    stack = EmbeddedStack(data_dir=tmp_path, log_dir=tmp_path, on_step=lambda _: seen.append(announced(tmp_path)))
    stack._announcement = Announcement(tmp_path)
    stack.children = [Child("worker", [sys.executable, "-c", "input()"], {}, tmp_path, tmp_path / "worker.log")]
    assert announced(tmp_path) is not None
    stack.close()
    assert seen == [None]


def test_readiness_names_the_part_that_is_missing(api: FakeApi) -> None:
    assert readiness(api.url).ready
    api.ready = (503, {"database": {"ok": True}, "queue": {"ok": False, "detail": "Redis does not answer"}})
    assert (readiness(api.url).part, readiness(api.url).detail) == ("queue", "Redis does not answer")
    assert readiness("http://127.0.0.1:1").part == "api"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter22@h/db",
        "postgresql://u:hunter22/%?@h/db",
        "postgresql://u@h/db?password=hunter22&sslmode=require",
        "postgresql://u@h/db?password=very@hunter22&sslmode=require",
        "redis://:very@hunter22@h/0",
        "redis://u:very@secret@hunter22@h/0",
        "redis://u:very/@?#hunter22@h/0",
        "redis://u:" + "long/" * 1_000 + "hunter22@h/0",
    ],
)
def test_a_url_is_shown_without_its_password(url: str) -> None:
    for part in ("hunter22", "very", "secret@", "long"):
        assert part not in shown(url)
    assert shown(url).startswith(("postgresql://", "redis://"))
    assert "@h/" in shown(url)
    assert shown("sqlite:////home/me@work/x.db") == "sqlite:////home/me@work/x.db"


def test_a_redis_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(CliError) as caught:
        check_reachable("redis://:very@hunter22@127.0.0.1:1/0")
    assert caught.value.message.startswith("no server answers at REDIS_URL redis://[redacted]@127.0.0.1:1/0: ")


def test_migrate_makes_a_database_whole_and_check_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    assert "there is no database file" in (missing_migrations(url) or "")
    assert list(tmp_path.iterdir()) == []
    migrate(url)
    assert missing_migrations(url) is None


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    url = "postgresql://user:hunter22@127.0.0.1:1/d"
    assert "hunter22" not in shown(url)
    for use in (migrate, missing_migrations):
        with pytest.raises(CliError) as caught:
            use(url)
        assert caught.value.code == ExitCode.UNREACHABLE
        assert "hunter22" not in f"{caught.value.message} {caught.value.details}"


def test_progress_is_done_errors_ttft_and_cost() -> None:
    state = {"done": 12, "total": 40, "errors": 1, "last_ttft_ms": 203.44, "cost_usd": 0.0021}
    assert progress_text(state) == "12/40 · 1 error · TTFT 203.4 ms · $0.00210"
    state |= {"errors": 0, "last_ttft_ms": None, "cost_usd": None}
    assert progress_text(state) == "12/40"
    stage = {"number": 3, "label": {"concurrency": 8}}
    state |= {"total": None, "metrics": {"stage": stage}}
    assert progress_text(state) == "stage 3 (8 streams) · 12 done"


def test_verbose_shows_each_whole_line_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Part:
        name, log = "api", tmp_path / "api.log"

    tail = Tail()
    for text in ("one\ntw", "o\n", ""):
        with Part.log.open("a") as stream:
            stream.write(text)
        tail.show([Part()])
    assert capsys.readouterr().err == "api       | one\napi       | two\n"


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Client(api.url) as client:
        assert client.benchmark(1)["id"] == 1


def test_the_output_of_a_program_is_its_own_in_a_log_that_is_used_again(tmp_path: Path) -> None:
    """The simulator says its port in its log. That of an earlier start is another one."""
    log = tmp_path / "simulator.log"
    log.write_text("listening on http://127.0.0.1:1\n")
    child = Child("simulator", [sys.executable, "-c", "print('listening on http://127.0.0.1:2')"], {}, tmp_path, log)
    while child.exit_code is None:
        time.sleep(0.01)
    assert child.output() == "listening on http://127.0.0.1:2\n"
    assert child.tail()[0] == "listening on http://127.0.0.1:1"
