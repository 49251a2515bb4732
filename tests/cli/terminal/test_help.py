"""What `--help` and docs/cli.md say about each command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import app
from cli.terminal.help import plain

PAGE = (Path(__file__).parents[3] / "docs/cli.md").read_text(encoding="utf-8")
# Options of every command, or of no command of ours.
COMMON = {"--help", "-h", "--server", "--api-key-file", "--json", "--install-completion", "--show-completion"}


def _commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in (group or get_command(app)).commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))


COMMANDS = dict(_commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", ["60", "80"])
def test_help_cuts_no_sentence_and_names_no_type_of_python(path: tuple[str, ...], columns: str) -> None:
    text = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": columns}).stdout
    assert "..." not in text.partition("\n")[2]
    assert "range>" not in text
    assert not re.search(r"<(str|int|float|path)\b", text)
    assert "<=x" not in text


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_page_of_the_command_line_has_each_command_with_its_options(path: tuple[str, ...]) -> None:
    assert f"`{path[0]}`" in PAGE
    section = _section(path[0])
    assert path[-1] in section
    options = {
        option
        for parameter in COMMANDS[path].params
        if parameter.param_type_name == "option" and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--")
    }
    assert [option for option in sorted(options - COMMON) if option not in section] == []


def test_the_page_names_no_option_that_does_not_exist() -> None:
    known = {option for _, command in COMMANDS.items() for item in command.params for option in _all(item)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert named - known - COMMON - {"--version"} == set()


@pytest.mark.parametrize(
    ("record", "written"),
    [
        (("--host <str>", "Address."), ("--host TEXT", "Address.")),
        (("ID <int range>", "Id.  [x>=1; required]"), ("ID", "Id.  [from 1 on; required]")),
        (("--port PORT", "Port.  [default: 0; 0<=x<=65535]"), ("--port PORT", "Port.  [default: 0; 0 to 65,535]")),
        (("--arrival <constant|poisson>", ""), ("--arrival constant|poisson", "")),
        (("- <str>", "stdin"), ("-", "stdin")),
    ],
)
def test_types_and_ranges_are_written_for_people(record: tuple[str, str], written: tuple[str, str]) -> None:
    assert plain(*record) == written


def _all(parameter: Any) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


def _section(command: str) -> str:
    """The part of the page about a command."""
    titles = {"cancel": "cancel and delete", "delete": "cancel and delete"}
    found = re.search(rf"^## {titles.get(command, command)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"no section about {command}"
    return found[1]
