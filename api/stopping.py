"""Tells the API at once that its process is to stop. `api.main` uses it.

Uvicorn ends the lifespan only when all answers have ended. Answers that never end by themselves must know before.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def when_told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, `stop` is called in the running loop at the first signal to end, before the server's own handler.

    Without a server that handles signals nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    changed = [number for number in SIGNALS if callable(before[number])]
    for number in changed:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in changed:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])
