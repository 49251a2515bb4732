"""The API key that commands send: of --api-key-file, of LLMBENCH_API_KEY, or of `.env` in the current folder.

`cli.terminal.help.Command` gives both options to every command that talks to a server. `cli.server.client`
sends the key.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import usage

KEY_ENV = "LLMBENCH_API_KEY"
FILE_ENV = f"{KEY_ENV}_FILE"
_ENV_FILE = Path(".env")

# What to do, where a server wants a key.
ADVICE = (
    f"Set {KEY_ENV} in the environment or in .env, or name a file that holds the key with --api-key-file.",
    "An admin makes a key with `llmbench keys create`; who has the server's database, with `llmbench keys bootstrap`.",
)


class _Chosen:
    """What the command line and the environment say."""

    file: Path | None = None
    key: str | None = None


_chosen = _Chosen()


def _choose_file(value: Path | None) -> Path | None:
    _chosen.file = value
    return value


def _choose_key(ctx: typer.Context, value: str | None) -> str | None:
    source = ctx.get_parameter_source("api_key")
    if source is not None and source.name == "COMMANDLINE":
        raise usage(
            "a key on the command line can be read by every user of this machine, and stays in the shell's history",
            (*ADVICE[:1], "Revoke that key if others could have seen it."),
        )
    _chosen.key = value
    return value


def options(
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=FILE_ENV,
            callback=_choose_file,
            help=f"File that holds the API key. Without it, {KEY_ENV}.",
            show_default=False,
        ),
    ] = None,
    api_key: Annotated[str | None, typer.Option(envvar=KEY_ENV, hidden=True, callback=_choose_key)] = None,
) -> None:
    """The options, as `cli.terminal.help.Command` adds them."""


@cache
def added_options() -> tuple[Any, ...]:
    """The parameters of `options`. Their callbacks keep the values, and commands do not get them."""
    from typer.main import get_command

    maker = typer.Typer(add_completion=False)
    maker.command()(options)
    parameters = [parameter for parameter in get_command(maker).params if parameter.name in ("api_key_file", "api_key")]
    for parameter in parameters:
        parameter.expose_value = False
    return tuple(parameters)


def chosen_key() -> str | None:
    """The key to send; None without any. Raises CliError if what is there is no key: it is not sent then."""
    from shared.access.api_key import NoApiKey, parse

    if _chosen.file is not None:
        try:
            text, source = _chosen.file.read_text(encoding="utf-8").strip(), str(_chosen.file)
        except (OSError, UnicodeDecodeError) as exc:
            reason = getattr(exc, "strerror", None) or "it is no text"
            raise usage(f"--api-key-file: cannot read {_chosen.file}: {reason}") from exc
    elif _chosen.key:
        text, source = _chosen.key.strip(), KEY_ENV
    else:
        text, source = _of_env_file(), f"{KEY_ENV} in {_ENV_FILE}"
    if not text:
        return None
    try:
        return parse(text).text
    except NoApiKey as exc:
        raise usage(f"{source} {exc}") from None


def _of_env_file() -> str:
    if not _ENV_FILE.is_file():
        return ""
    from dotenv import dotenv_values

    return (dotenv_values(_ENV_FILE, interpolate=False).get(KEY_ENV) or "").strip()
