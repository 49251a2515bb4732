"""PROVIDERS_FILE is read again when it changes, and a wrong one changes nothing."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.providers.built_in import BUILT_IN
from shared.providers.endpoints import Endpoint, EndpointRegistry
from shared.providers.prices import PriceList
from shared.providers.reload import ProvidersFile

LINE = "- {{name: {name}, protocol: openai, base_url: 'http://127.0.0.1:{port}/v1'}}\n"


def line(name: str, port: int = 8000) -> str:
    return LINE.format(name=name, port=port)


class Watched:
    """A file with one endpoint, `first`, which the program has read at its start."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "providers.yaml"
        self.path.write_text(line("first"))
        first = Endpoint(name="first", protocol="openai", base_url="http://127.0.0.1:8000/v1")
        over = Endpoint(name="over", protocol="openai", base_url="http://127.0.0.1:1/v1")
        self.endpoints = EndpointRegistry(BUILT_IN, PriceList(), of_file=[first], over_file=[over])
        self.changes = 0
        self.file = ProvidersFile(self.path, self.endpoints, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.file.look(self.path)

    @property
    def own(self) -> dict[str, str]:
        """The base URLs of the endpoints that are not built in."""
        return {item.name: item.base_url for item in self.endpoints if item not in BUILT_IN}


@pytest.fixture
async def watched(tmp_path: Path) -> Watched:
    watched = Watched(tmp_path)
    await watched.look()
    assert (watched.changes, watched.file.problem) == (0, None)
    return watched


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def replaced(path: Path, text: str) -> None:
    """As editors do it: another file takes the name."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def with_the_old_time(path: Path, text: str) -> None:
    """As `cp -p` and `touch -r` leave it."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def through_a_link(path: Path, text: str) -> None:
    """As Kubernetes changes a mounted ConfigMap."""
    version, link = path.with_suffix(".v2"), path.with_suffix(".link")
    version.write_text(text)
    link.symlink_to(version)
    link.replace(path)


@pytest.mark.parametrize("write", [in_place, replaced, with_the_old_time, through_a_link])
async def test_a_change_is_taken_however_it_is_written(watched: Watched, write: Callable[[Path, str], None]) -> None:
    write(watched.path, line("first", 9000) + line("second") + line("groq"))
    await watched.look()
    assert watched.own == {
        "first": "http://127.0.0.1:9000/v1",
        "second": "http://127.0.0.1:8000/v1",
        "groq": "http://127.0.0.1:8000/v1",
        "over": "http://127.0.0.1:1/v1",
    }
    assert watched.changes == 1


async def test_a_removed_endpoint_gives_its_name_back_to_the_built_in_one(watched: Watched) -> None:
    watched.path.write_text(line("groq"))
    await watched.look()
    assert "groq" in watched.own
    watched.path.write_text("[]")
    await watched.look()
    assert watched.own == {"over": "http://127.0.0.1:1/v1"}
    assert watched.endpoints.get("groq") in BUILT_IN


async def test_providers_of_the_variable_still_win(watched: Watched) -> None:
    watched.path.write_text(line("over", 9000))
    await watched.look()
    assert watched.own == {"over": "http://127.0.0.1:1/v1"}


async def test_a_file_that_is_being_written_waits_until_it_rests(watched: Watched) -> None:
    """An editor first makes the file empty, and an empty list is a right one."""
    watched.path.write_text("")
    await watched.look(1)
    watched.path.write_text(line("first") + line("second"))
    await watched.look(1)
    assert list(watched.own) == ["first", "over"]
    await watched.look(1)
    assert list(watched.own) == ["first", "second", "over"]
    assert watched.changes == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {name: [", "is neither YAML nor JSON"),
        ("text", "must be a list of endpoints"),
        ("- {name: second, protocol: openai}", "base_url: Field required"),
        (
            "- {name: second, protocol: openai, base_url: 'ftp://x', api_key_env: sk-secret-0123456789}",
            "base_url: must",
        ),
        (None, "cannot be read: No such file or directory"),
    ],
)
async def test_a_wrong_file_keeps_the_endpoints_and_is_named_once(
    watched: Watched, text: str | None, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    if text is None:
        watched.path.unlink()
    else:
        watched.path.write_text(text)
    await watched.look(5)
    assert list(watched.own) == ["first", "over"]
    assert watched.file.problem is not None
    assert watched.file.problem.startswith(f"{watched.path}: {says}")
    assert watched.file.described == f"the endpoints from before its last change stay: {watched.file.problem}"
    assert "sk-secret" not in watched.file.problem
    said = [record for record in caplog.records if record.name == "shared.providers.reload"]
    assert len(said) <= 1
    watched.path.write_text(line("first"))
    await watched.look()
    assert (watched.file.problem, watched.changes) == (None, 0)
    assert watched.file.described == f"{watched.path} is in use"


async def test_a_snapshot_keeps_the_endpoints_of_its_time(watched: Watched) -> None:
    snapshot = watched.endpoints.snapshot()
    watched.path.write_text(line("first", 9000))
    await watched.look()
    before, now = snapshot.get("first"), watched.endpoints.get("first")
    assert before is not None
    assert now is not None
    assert (before.base_url, now.base_url) == ("http://127.0.0.1:8000/v1", "http://127.0.0.1:9000/v1")


async def test_it_watches_until_it_is_cancelled(watched: Watched) -> None:
    changed = asyncio.Event()
    file = ProvidersFile(watched.path, watched.endpoints, changed.set, poll_s=0.01)
    watching = asyncio.create_task(file.watch())
    watched.path.write_text(line("second"))
    await asyncio.wait_for(changed.wait(), 20)
    assert list(watched.own) == ["second", "over"]
    watching.cancel()


async def test_without_a_file_there_is_nothing_to_watch(watched: Watched) -> None:
    file = ProvidersFile(None, watched.endpoints, lambda: None)
    await file.watch()
    assert (file.problem, file.described) == (None, "PROVIDERS_FILE is not set")
