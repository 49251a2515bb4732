"""Resolves host names in threads of its own. Names that hang do not keep others from being resolved.

A lookup cannot be ended: it keeps its thread long after its caller has given up. So a name has at most one lookup at a
time, and the names of one domain have few; a bounded number of others wait.
"""

import _thread
import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

# Lookups at the same time: of all names, and of names whose last two labels are the same.
AT_ONCE, OF_ONE_DOMAIN = 512, 16
# Lookups under way and waiting together. Callers that have given up still count, so it must have a bound.
MOST, MOST_OF_ONE_DOMAIN = 4_096, 256


class ThreadResolver:
    """Call it with a name; it returns the name's addresses or raises OSError. Waits for as long as its caller does.

    Raises OSError at once if too many lookups wait.
    """

    def __init__(self, look_up: Callable[[str], Sequence[str]] | None = None) -> None:
        """`look_up` blocks."""
        self._look_up = look_up or _look_up
        self._under_way: dict[str, asyncio.Task[Sequence[str]]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._domains: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        # Lookups under way and waiting, by domain.
        self._asked: Counter[str] = Counter()

    async def __call__(self, name: str) -> Sequence[str]:
        task = self._under_way.get(name)
        if task is None:
            domain = _domain(name)
            if len(self._under_way) >= MOST or self._asked[domain] >= MOST_OF_ONE_DOMAIN:
                raise OSError("too many host names wait to be resolved")
            self._asked[domain] += 1
            task = self._under_way[name] = asyncio.create_task(self._resolve(name, domain))
            task.add_done_callback(lambda ended: self._ended(name, domain, ended))
        # The caller may give up; the thread goes on.
        return await asyncio.shield(task)

    async def _resolve(self, name: str, domain: str) -> Sequence[str]:
        room = self._domains.setdefault(domain, asyncio.Semaphore(OF_ONE_DOMAIN))
        async with room, self._room:
            answer: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
            # A lookup that hangs does not hold up the end of the program. The threads of `threading` also run the hooks
            # of debuggers and of coverage at their start; in Python 3.11 these fail when several threads start at the
            # same moment, and such a lookup would never answer.
            _thread.start_new_thread(self._run, (name, answer))
            return await answer

    def _run(self, name: str, answer: "asyncio.Future[Sequence[str]]") -> None:
        found: Sequence[str] | Exception
        try:
            found = self._look_up(name)
        except Exception as exc:  # noqa: BLE001 - the caller gets it
            found = exc
        with contextlib.suppress(RuntimeError):  # the loop has ended
            answer.get_loop().call_soon_threadsafe(_set, answer, found)

    def _ended(self, name: str, domain: str, task: "asyncio.Task[Sequence[str]]") -> None:
        del self._under_way[name]
        self._asked[domain] -= 1
        if not self._asked[domain]:
            del self._asked[domain]
        if not task.cancelled():
            # Its caller may have given up, and asyncio reports exceptions that nobody looks at.
            task.exception()


def _set(answer: "asyncio.Future[Sequence[str]]", found: Sequence[str] | Exception) -> None:
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)


def _domain(name: str) -> str:
    return ".".join(name.lower().rstrip(".").split(".")[-2:])


def _look_up(name: str) -> list[str]:
    return [str(item[4][0]) for item in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
