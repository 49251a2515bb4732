"""`llmbench demo`: runs the README's example in a temporary folder."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.demo import EXAMPLE
from cli.exits import Interrupted
from cli.options.common import AsJson
from cli.terminal.output import GOOD, Line, note, write, write_json

if TYPE_CHECKING:
    from cli.stack import EmbeddedStack
    from cli.stop import Stop
    from simulator.profile import Profile

_ENDED = (
    "Everything is ended and deleted. `llmbench demo --json` shows the API's answer, and `llmbench up` starts a server "
    "that stays."
)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stay up until Ctrl-C.")] = False,
    as_json: AsJson = False,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65_535, help="Port of the API; 0 takes a free one.")
    ] = 0,
) -> None:
    """Start everything in a temporary folder and run the README's example against the simulator.

    Ignores DATABASE_URL, REDIS_URL, .env and provider keys, so that it does the same everywhere and costs nothing.
    """
    from cli.stack import EmbeddedStack
    from cli.stop import Stop
    from cli.terminal.steps import Steps

    with (
        Stop() as stop,
        Steps() as steps,
        EmbeddedStack(isolated=True, port=port, pause=stop.pause, on_step=steps) as stack,
    ):
        steps.clear()
        code = _measure(stack, stop, as_json=as_json)
        if keep and not stop.requested:
            _stay(stack, stop)
    if not keep and not as_json:
        write([Line(""), Line(_ENDED, hang=0)])
    raise typer.Exit(code)


def _measure(stack: "EmbeddedStack", stop: "Stop", *, as_json: bool = False) -> int:
    from cli.outcome import wait_to_end
    from cli.render.benchmark import benchmark_lines
    from cli.render.results import result_lines
    from cli.server.client import Client
    from cli.server.target import Target
    from simulator.profile import Profile

    if not as_json:
        write([Line(f"POST {stack.url}/benchmarks", "bold")])
        write_json(EXAMPLE)
    with Client(stack.url) as client:
        ended, code = wait_to_end(Target(client, stack.check), client.submit(EXAMPLE), stop)
        whole = client.benchmark(ended["id"])
        failures = client.failures(ended)
    if as_json:
        write_json(whole)
        return code
    write([Line(""), *benchmark_lines(ended, failures), Line(""), *result_lines(whole["results"])])
    if ended["summary"]:
        write([Line(""), *_comparison(ended["summary"], Profile())])
    return code


def _comparison(summary: dict[str, Any], profile: "Profile") -> Iterator[Line]:
    """The simulator's settings next to the measured values."""
    from cli.render.numbers import count, milliseconds
    from cli.render.table import table

    requests = summary["requests"]["succeeded"]
    tokens = summary["tokens"]["output_tokens"]
    gaps = summary["inter_chunk_latency_ms"] or {}
    total_ms = profile.ttft_ms + profile.gap_ms * (profile.tokens - 1)
    yield from table(
        ("", "simulator's setting", "measured (p50)"),
        [
            ("TTFT (ms)", f"{profile.ttft_ms:.1f}", milliseconds(summary["ttft_ms"]["p50"])),
            ("Gap between tokens (ms)", f"{profile.gap_ms:.1f}", milliseconds(gaps.get("p50"))),
            ("Latency (ms)", f"{total_ms:.1f}", milliseconds(summary["latency_ms"]["p50"])),
            ("Output tokens a request", f"{profile.tokens}", count(tokens // requests) if tokens and requests else "–"),
        ],
        right="lrr",
    )


def _stay(stack: "EmbeddedStack", stop: "Stop") -> None:
    from cli.commands.up import serve

    note(f"Swagger: {stack.url}/docs, until Ctrl-C", GOOD)
    try:
        serve(stack, stop.pause)
    except Interrupted:
        return
