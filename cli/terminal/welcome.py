"""What `up` prints when it is ready: addresses, providers, and a request to try."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from cli.database import shown
from cli.demo import EXAMPLE
from cli.exits import CliError
from cli.server.answers import Json
from cli.server.api_key import KEY_ENV
from cli.server.key_client import KeyClient
from cli.stack import EmbeddedStack
from cli.terminal.output import GOOD, QUIET, Line, clean
from shared.version import __version__


def welcome(stack: EmbeddedStack, took_s: float) -> Iterator[Line]:
    """The lines to print. Asks the API for its providers."""
    providers, needs_key = None, True
    # Where there are keys, this command may have none that counts.
    with suppress(CliError), KeyClient(stack.url) as client:
        providers, needs_key = client.providers(), client.whoami()["key_id"] is not None
    yield Line(f"llmbench {__version__} is up at {stack.url} (after {took_s:.1f} s)", GOOD)
    yield Line("")
    yield _pair("Dashboard", f"{stack.url}/")
    yield _pair("API, Swagger", f"{stack.url}/docs")
    yield _pair("Database", _database(stack.database_url))
    yield _pair("Queue", shown(stack.redis_url) + (" (Valkey, in memory)" if stack.embeds_redis else ""))
    yield _pair("Simulator", shown(stack.simulator_url))
    yield _pair("Logs", f"{stack.logs}")
    yield _pair("Webhooks", f"may go to {stack.webhooks_reach}; try `llmbench webhooks listen`")
    if providers is None:
        yield _pair("Access", f"each request needs an API key; set {KEY_ENV} for commands")
    else:
        yield from _providers(providers)
    yield Line("")
    yield Line("Try it:", "bold")
    yield Line("")
    yield from example(stack.url, needs_key=needs_key)
    yield Line("")
    yield Line("Ctrl-C ends everything. The database stays, and llmbench.key, which its webhook secrets need.", QUIET)


def _providers(providers: Sequence[Json]) -> Iterator[Line]:
    yield _pair("Providers", f"ready: {_names(providers, ready=True)}")
    if any(not item["ready"] for item in providers):
        yield _pair("", f"without a key: {_names(providers, ready=False)}")
        yield _pair("", "`llmbench providers` names their variables; without a key, the simulator answers")


def example(url: str, *, needs_key: bool = False) -> Iterator[Line]:
    """A curl command to paste into a shell. Its answer comes when the benchmark has ended."""
    key = f' -H "Authorization: Bearer ${KEY_ENV}"' if needs_key else ""
    yield Line(f"curl -s '{url}/benchmarks'{key} -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '{{")
    fields = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in EXAMPLE.items()]
    yield from (Line(text) for text in ",\n".join(fields).splitlines())
    yield Line("}'")


def _database(url: str) -> str:
    path = url.removeprefix("sqlite:///")
    return shown(url) if path == url else f"{Path(path).resolve()} (SQLite)"


def _names(providers: Sequence[Json], *, ready: bool) -> str:
    return ", ".join(clean(item["name"]) for item in providers if item["ready"] == ready) or "none"


def _pair(name: str, value: str) -> Line:
    return Line(f"  {name:<14}{value}")
