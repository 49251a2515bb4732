"""What a shell completes: endpoints, models and ids of the server, asked while the user waits for the Tab key."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.exits import CliError
from cli.server.announcement import announced

if TYPE_CHECKING:
    from cli.server.client import Client

_PATIENCE_S = 2.0
_MOST = 50
Completion = tuple[str, str]


def providers(ctx: typer.Context, incomplete: str) -> Iterator[Completion]:
    """Names of endpoints, with whether they are ready."""
    for item in _asked(ctx, lambda client: client.providers()):
        if item["name"].startswith(incomplete):
            yield item["name"], "ready" if item["ready"] else f"set {item['api_key_env']}"


def models(ctx: typer.Context, incomplete: str) -> Iterator[Completion]:
    """Ids of models in the price list, aliases included."""
    for item in _asked(ctx, lambda client: client.models(_MOST, q=incomplete or None)[0]):
        for name in (item["model"], *item["aliases"]):
            if name.startswith(incomplete):
                yield name, item["name"] or ""


def benchmark_ids(ctx: typer.Context, incomplete: str) -> Iterator[Completion]:
    """Ids of the newest benchmarks, with their status and name."""
    for item in _asked(ctx, lambda client: client.benchmarks(_MOST)[0]):
        if str(item["id"]).startswith(incomplete):
            yield str(item["id"]), f"{item['status']}: {item['name']}"


def _asked(ctx: typer.Context, question: "Callable[[Client], list[dict[str, Any]]]") -> list[dict[str, Any]]:
    """The server's answer. Nothing if none answers: a shell has no place for an error."""
    from cli.options.common import DEFAULT_SERVER
    from cli.server.client import Client

    here = announced(Path())
    url = ctx.params.get("server") or (here and here.url) or DEFAULT_SERVER
    try:
        with Client(url, _PATIENCE_S) as client:
            return question(client)
    except CliError:
        return []
