"""The garbage collector of a long-running program. For the API, the workers and the embedded stack."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def loading() -> Iterator[None]:
    """For imports: without collections they take a fifth less, and find nothing to collect anyway."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@cache
def keep_what_is_loaded() -> None:
    """Called when a program has loaded all that it keeps; only the first time counts.

    No collection looks at it again. Modules, price list and SDKs are 300,000 objects: a look at all of them would hold
    up the event loop for 0.2 s.
    """
    gc.freeze()
