"""`llmbench models`, `providers`, `workers`: models with prices, endpoints, and workers."""

from typing import Annotated

import typer

from cli import complete
from cli.options.common import AsJson, Server
from cli.server.here import server_or_default
from cli.terminal.output import QUIET, note, write, write_json


def models(
    query: Annotated[
        str | None,
        typer.Argument(
            autocompletion=complete.models, help="A model id, or words that id, aliases, name or provider must contain."
        ),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider of the price list (exact name).")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="List at most this many.")] = 20,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Search the models of the price list. The best match comes first, with its aliases: other ids of the model.

    Models that are not listed can be measured too; their cost is unknown.
    """
    from cli.render.lists import model_lines
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        found, total = client.models(limit, q=query, provider=provider)
    if as_json:
        write_json(found)
    elif found:
        write(model_lines(found))
    if found:
        note(f"{len(found):,} of {total:,} models; prices in USD per million tokens", QUIET)
    elif not as_json:
        note("no model of the price list matches")


def providers(server: Server = None, as_json: AsJson = False) -> None:
    """List the endpoints that benchmarks can go to, and which of them lack a key."""
    from cli.render.lists import provider_lines
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        found = client.providers()
    if as_json:
        write_json(found)
    else:
        write(provider_lines(found))


def workers(server: Server = None, as_json: AsJson = False) -> None:
    """List the workers of the last day: whether they are alive, what they run, and which load they measure exactly."""
    from cli.render.lists import worker_lines
    from cli.server.client import Client

    with Client(server_or_default(server)) as client:
        found = client.workers()
    if as_json:
        write_json(found)
    elif found:
        write(worker_lines(found))
    else:
        note("no worker has reported within a day: start one with `arq worker.main.WorkerSettings`")
