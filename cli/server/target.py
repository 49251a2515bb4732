"""The server that `run`, `rerun` and `demo` use: a given one, or a stack of their own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from cli.server.client import Client
from cli.stop import Stop
from cli.terminal.steps import Steps


@dataclass(frozen=True, slots=True)
class Target:
    """A server's client. `watch` raises CliError if a part of the own stack has ended."""

    client: Client
    watch: Callable[[], None]


@contextmanager
def target(server: str | None, stop: Stop, *, check_ready: bool = True) -> Iterator[Target]:
    """Yields a target that is ready. Without `server` it starts a stack, which ends with the block. Raises CliError."""
    with ExitStack() as parts:
        if server is not None:
            client = parts.enter_context(Client(server))
            if check_ready:
                client.check_ready()
            yield Target(client, lambda: None)
            return
        from cli.stack import EmbeddedStack

        steps = parts.enter_context(Steps())
        stack = parts.enter_context(EmbeddedStack(settings=_alone(), pause=stop.pause, on_step=steps))
        steps.clear()
        yield Target(parts.enter_context(Client(stack.url)), stack.check)


def _alone() -> dict[str, str]:
    """Settings of a stack beside others on one database: its worker runs its benchmarks, and nobody else does.

    If its worker cannot run one, no other will come.
    """
    return {"STACK_ID": uuid.uuid4().hex[:12], "UNCLAIMED_AFTER_S": "1"}
