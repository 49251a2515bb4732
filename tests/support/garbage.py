"""Counts what code leaves to the garbage collector."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage(*names: str) -> Iterator[Counter[str]]:
    """Counts the objects that the block leaves to the collector, by class. The count is known at the block's end.

    Counted are the classes whose full names, with their modules, begin like one of `names`. The collector is off
    inside the block.
    """
    gc.collect()
    gc.disable()
    # Earlier tests' objects may still be in use, and asyncio keeps exceptions for a while. What is kept alive here is
    # no garbage of the block, whenever its last user lets it go.
    earlier = [thing for thing in gc.get_objects() if _full_name(type(thing)).startswith(names)]
    found: Counter[str] = Counter()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found.update(name for name in (_full_name(type(thing)) for thing in gc.garbage) if name.startswith(names))
    finally:
        earlier.clear()
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
