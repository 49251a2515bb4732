"""The check of clients tells a client that fails from one that could not be made."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from checks.clients.kinds import CLIENTS, Kind
from checks.clients.play import play_all


class Commands:
    """Runs nothing. `failing`: the word in a command that makes it fail, and what that writes."""

    def __init__(self, failing: str = "nothing fails", text: str = "") -> None:
        self.run: list[str] = []
        self._failing, self._text = failing, text

    def __call__(self, command: Sequence[str], folder: Path) -> tuple[int, str]:
        line = " ".join(command)
        self.run.append(line)
        return (1, self._text) if self._failing in line else (0, f"ran in {folder.name}\n")


def kind(tmp_path: Path, program: str | None = None) -> Kind:
    lock, source = tmp_path / "lock", tmp_path / "play"
    lock.write_text("one==1")
    source.write_text("")
    return Kind(
        name="python",
        program=program,
        lock=lock,
        sources=[source],
        install=lambda folder: [["installer", str(folder)]],
        generate=lambda folder, work, document: [["generator", document.name]],
        play=lambda folder, url: ["player", url],
    )


def play(tmp_path: Path, commands: Commands, program: str | None = None, there: bool = True) -> int:
    return play_all(
        [kind(tmp_path, program)],
        tmp_path / "openapi.json",
        "http://api",
        tmp_path / f"work{len(commands.run)}",
        installed=tmp_path / "installed",
        run=commands,
        find=lambda name: name if there else None,
    )


def test_a_client_is_installed_once_and_generated_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = Commands()
    assert play(tmp_path, commands) == play(tmp_path, commands) == 0
    words = [line.split()[0] for line in commands.run]
    assert words == ["installer", "generator", "player", "generator", "player"]
    assert commands.run[2] == "player http://api"
    assert capsys.readouterr().out == "ran in python\n" * 2
    (tmp_path / "installed/python/installed-from").write_text("another lock file")
    assert play(tmp_path, commands) == 0
    assert sum(line.startswith("installer") for line in commands.run) == 2


@pytest.mark.parametrize("failing", ["generator", "player"])
def test_a_client_that_fails_is_a_failure_with_its_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], failing: str
) -> None:
    assert play(tmp_path, Commands(failing, "no such operation\n")) == 1
    shown = capsys.readouterr()
    assert f"clients: {failing}" in shown.err
    assert "no such operation" in shown.err
    assert shown.out == ""


def test_what_cannot_be_installed_is_named_and_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert play(tmp_path, Commands("installer", "Collecting\nERROR: no index answers\n\n")) == 0
    assert capsys.readouterr().err == (
        "NOT RUN: clients-python: its generator cannot be installed: ERROR: no index answers\n"
    )
    assert play(tmp_path, Commands(), program="npm", there=False) == 0
    assert capsys.readouterr().err == "NOT RUN: clients-python: npm is not installed\n"


def test_lock_files_name_no_host() -> None:
    """A check-out works with whatever registry the machine is set to."""
    for item in CLIENTS:
        text = item.lock.read_text(encoding="utf-8")
        assert '"resolved"' not in text
        assert "--index-url" not in text
        assert "--hash=sha256:" in text or '"integrity": "sha512-' in text
