"""What `up` says when it is ready: where things are, what can be measured, and a request to paste."""

import json
from collections.abc import Iterator
from pathlib import Path

from cli.client import Client, Json
from cli.database import shown
from cli.demo import EXAMPLE
from cli.output import Line
from cli.stack import EmbeddedStack
from shared.version import __version__


def welcome(stack: EmbeddedStack, took_s: float) -> Iterator[Line]:
    """Asks the API for its providers."""
    with Client(stack.url) as client:
        providers = client.providers()
    yield Line(f"llmbench {__version__} is up at {stack.url} (after {took_s:.1f} s)", "bold green")
    yield Line("")
    yield _pair("API, Swagger", f"{stack.url}/docs")
    yield _pair("Database", _database(stack.database_url))
    embedded = ", embedded Valkey; keeps nothing" if stack.embeds_redis else ""
    yield _pair("Queue", f"{shown(stack.redis_url)}{embedded}")
    yield _pair("Simulator", stack.simulator_url)
    yield _pair("Logs", f"{stack.logs}")
    yield _pair("Ready", ", ".join(item["name"] for item in providers if item["ready"]))
    yield _pair("Need a key", ", ".join(_wanted(item) for item in providers if not item["ready"]) or "none")
    yield Line("")
    yield Line("Try it:", "bold")
    yield Line("")
    yield from example(stack.url)
    yield Line("")
    yield Line("Ctrl-C ends everything; the database stays.", "dim")


def example(url: str) -> Iterator[Line]:
    """A curl command that a shell takes as it is."""
    yield Line(f"curl -s '{url}/benchmarks' -H 'Content-Type: application/json' -H 'Prefer: wait=30' \\")
    yield Line(f"  -d '{json.dumps(EXAMPLE)}'")


def _database(url: str) -> str:
    path = url.removeprefix("sqlite:///")
    return shown(url) if path == url else f"{Path(path).resolve()} (SQLite)"


def _wanted(provider: Json) -> str:
    return f"{provider['name']} ({provider['api_key_env']})"


def _pair(name: str, value: str) -> Line:
    return Line(f"  {name:<14}{value}")
