"""`llmbench up`: runs the embedded stack until Ctrl-C."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import Interrupted
from cli.stop import Stop
from cli.terminal.output import WARNING, note, write
from cli.terminal.steps import Steps

if TYPE_CHECKING:
    from cli.stack import EmbeddedStack

_LOOK_S = 0.2


def up(
    host: Annotated[str, typer.Option(help="Address that the API listens on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65_535, help="Port of the API; 0 takes a free one.")
    ] = 8000,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of llmbench.db and llmbench.key.", show_default="current folder")
    ] = Path(),
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Worker processes.")] = 1,
    log_dir: Annotated[Path | None, typer.Option(help="Folder to keep the logs in.", show_default="temporary")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the logs of all parts.")] = False,
) -> None:
    """Start everything on this machine: API, worker, database, queue, simulator.

    It needs no set-up. DATABASE_URL and REDIS_URL, set in the environment or in .env, replace the embedded SQLite and
    Valkey. If a provider's key is set (ANTHROPIC_API_KEY, …), the provider answers for its models; otherwise the
    simulator does. A worker that dies is started again. Ctrl-C or SIGTERM ends everything.
    """
    from cli.stack import EmbeddedStack
    from cli.stack.tail import Tail
    from cli.terminal.welcome import welcome
    from cli.waiting import Deadline

    clock = Deadline(0)
    tail = Tail() if verbose else None
    ready = False
    with Stop() as stop, Steps() as steps:

        def pause(seconds: float) -> None:
            if tail is not None:
                tail.show(stack.children)
            stop.pause(seconds)

        stack = EmbeddedStack(
            host=host,
            port=port,
            data_dir=data_dir,
            log_dir=log_dir,
            workers=workers,
            exclusive=True,
            announce=True,
            pause=pause,
            on_step=note if verbose else steps,
            on_restart=lambda text: note(text, WARNING),
        )
        try:
            with stack:
                ready = True
                steps.clear()
                write(welcome(stack, clock.elapsed_s))
                serve(stack, pause)
        except Interrupted:
            if not ready:
                raise
    with suppress(OSError):  # SIGHUP: the terminal is gone
        note("stopped")


def serve(stack: "EmbeddedStack", pause: Callable[[float], None]) -> None:
    """Runs until `pause` raises. Raises CliError if a child ends that is not started again."""
    while True:
        pause(_LOOK_S)
        stack.check()
