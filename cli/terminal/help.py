"""Help texts of commands: words for people in place of Python's types and ranges, and no sentence is cut."""

import re
from typing import Any

from typer.core import TyperCommand

from cli.server.api_key import added_options

# More characters than any summary has.
_WHOLE = 1_000
# Parameters of commands that talk to a server: `up` talks to its own.
_OF_TALKING = ("server", "data_dir")
_WORDS = {"str": "TEXT", "path": "PATH", "int": "N", "float": "X"}


class Command(TyperCommand):
    """A command of `llmbench`. One that talks to a server also takes the options of the API key."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **options: Any) -> None:
        talks = any(parameter.name in _OF_TALKING for parameter in params or ())
        super().__init__(name, params=[*(params or ()), *(added_options() if talks else ())], **options)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        records: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                records[parameter.param_type_name].append(plain(*record))
        for kind, rows in records.items():
            if rows:
                with formatter.section(f"{kind.capitalize()}s"):
                    formatter.write_dl(rows)


def write_commands(group: Any, ctx: Any, formatter: Any) -> None:
    """The commands of a group. A long summary goes on in the next line."""
    commands = [(name, group.get_command(ctx, name)) for name in group.list_commands(ctx)]
    rows = [(name, command.get_short_help_str(_WHOLE)) for name, command in commands if command is not None]
    with formatter.section("Commands"):
        formatter.write_dl(rows)


def plain(name: str, text: str) -> tuple[str, str]:
    """`--host <str>` is `--host TEXT`, `ID <int range>` is `ID`, and `1<=x<=64` is `1 to 64`."""
    before, found, kind = name.rstrip(">").partition(" <")
    if found:
        word = _WORDS.get(kind, kind if "|" in kind else "")
        name = f"{before} {word}" if word and before.startswith("-") and before != "-" else before
    text = re.sub(r"([\d.]+)<=x<=([\d.]+)", lambda ends: f"{_number(ends[1])} to {_number(ends[2])}", text)
    return name, re.sub(r"x>=([\d.]+)", lambda end: f"from {_number(end[1])} on", text)


def _number(text: str) -> str:
    return f"{float(text):,g}" if "." in text else f"{int(text):,}"
