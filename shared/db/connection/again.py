"""Runs a repository's methods again if their transaction met another one: deadlocks, serialization failures."""

import asyncio
import functools
import inspect
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from shared.db.connection.failures import Conflicted

log = structlog.get_logger(__name__)

TRIES = 6
# The pause before the second try at most; each further one may be twice as long.
FIRST_PAUSE_S = 0.02

_JITTER = secrets.SystemRandom()

Repository = TypeVar("Repository")


def tries_again(repository: type[Repository]) -> type[Repository]:
    """For a repository's class: each of its methods is one transaction, which the database has rolled back."""
    for name, method in list(vars(repository).items()):
        if inspect.iscoroutinefunction(method) and not name.startswith("_"):
            setattr(repository, name, _again(method))
    return repository


def _again(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def run(*args: Any, **options: Any) -> Any:
        for tried in range(TRIES - 1):
            try:
                return await method(*args, **options)
            except Conflicted as exc:
                log.info("transaction_tried_again", method=method.__qualname__, reason=exc.reason)
                # At random, so that the two do not meet again.
                await asyncio.sleep(_JITTER.uniform(0, FIRST_PAUSE_S * 2**tried))
        return await method(*args, **options)

    return run
