"""Feeds of benchmarks for the listeners of this process: `GET /benchmarks/{id}/events` and the pages.

The database holds the truth, so any API process can serve any benchmark, with or without Redis. One task of the process
reads all benchmarks that anybody listens to, in one statement.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog

from api.live.outage import Outage
from shared.db.access.missing import no_benchmark
from shared.db.benchmarks.live import LiveRepository, LiveState
from shared.db.benchmarks.live_watch import LiveWatch
from shared.errors import LlmBenchError

log = structlog.get_logger(__name__)

# Between two looks at the database. Workers write their progress about once a second.
LOOK_EVERY_S = 0.5
# Each listener holds a connection of a client and some tasks.
MOST_LISTENERS = 500


class TooManyListeners(LlmBenchError):
    """This process has as many listeners as it takes."""

    code = "too_many_listeners"


class Feed:
    """The newest state of one benchmark. States that a slow listener has not taken are replaced by newer ones."""

    def __init__(self, state: LiveState) -> None:
        self.state: LiveState | None = state
        self.listeners = 0
        self._changed = asyncio.Event()
        self._is_closed = False

    def update(self, state: LiveState | None) -> None:
        """None: the benchmark was deleted."""
        if state is not None and self.state is not None and state.read_at < self.state.read_at:
            # Two reads overtook each other.
            return
        if state != self.state:
            self.state = state
            self._wake()

    def close(self) -> None:
        """Ends `states` for every listener."""
        self._is_closed = True
        self._wake()

    async def states(self) -> AsyncIterator[LiveState | None]:
        """The present state, then each newest one when it has changed, up to the end of the benchmark.

        The last one is None if it was deleted. Without such a last one the process stops: ask again.
        """
        while not self._is_closed:
            changed, state = self._changed, self.state
            yield state
            if state is None or state.has_ended:
                return
            # Not before the listener has taken the last state: only now does it count what came meanwhile.
            await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Feeds:
    """All feeds of the process."""

    def __init__(self, repository: LiveWatch, *, every_s: float = LOOK_EVERY_S, most: int = MOST_LISTENERS) -> None:
        self._repository = repository
        self._every_s = every_s
        self._most = most
        self._feeds: dict[int, Feed] = {}
        self._listeners = 0
        self._watching: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def listeners(self) -> int:
        return self._listeners

    @asynccontextmanager
    async def listen(self, benchmark_id: int, own: LiveRepository) -> AsyncIterator[Feed]:
        """`own`: reads the benchmarks that the listener may see.

        Raises NotFound, Unavailable without the database, and TooManyListeners.
        """
        if self._listeners >= self._most:
            raise TooManyListeners(
                f"this process has {self._most:,} listeners, which is the most: try again later, or poll "
                f"GET /benchmarks/{benchmark_id}?include=none"
            )
        self._listeners += 1
        try:
            feed = await self._join(benchmark_id, own)
            try:
                yield feed
            finally:
                self._leave(benchmark_id, feed)
        finally:
            self._listeners -= 1

    async def _join(self, benchmark_id: int, own: LiveRepository) -> Feed:
        # Read even if there is a feed: the first state must not be older than the request.
        state = (await own.states([benchmark_id])).get(benchmark_id)
        if state is None:
            raise no_benchmark(benchmark_id)
        feed = self._feeds.setdefault(benchmark_id, Feed(state))
        feed.update(state)
        feed.listeners += 1
        if self._is_closed:
            feed.close()
        elif self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        return feed

    def _leave(self, benchmark_id: int, feed: Feed) -> None:
        feed.listeners -= 1
        if not feed.listeners and self._feeds.get(benchmark_id) is feed:
            del self._feeds[benchmark_id]
        if not self._feeds:
            self._stop_watching()

    def close(self) -> None:
        """Ends all feeds at once, and those that are asked for later. For the end of the process."""
        self._is_closed = True
        self._stop_watching()
        for feed in self._feeds.values():
            feed.close()

    def _stop_watching(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self) -> None:
        outage = Outage("live_events_wait")
        try:
            while True:
                await asyncio.sleep(self._every_s)
                # The listeners stay: they get the newest state when the database is back.
                with outage.bridged():
                    await self._look()
        except Exception:
            log.exception("live_events_failed")
            self._watching = None
            # The clients connect again, which starts another task.
            for feed in self._feeds.values():
                feed.close()
            self._feeds.clear()

    async def _look(self) -> None:
        open_ids = [key for key, feed in self._feeds.items() if feed.state is not None and not feed.state.has_ended]
        if not open_ids:
            return
        states = await self._repository.states(open_ids)
        for key in open_ids:
            # Nobody may listen to it any more.
            if key in self._feeds:
                self._feeds[key].update(states.get(key))


class CallerFeeds:
    """The feeds of the benchmarks that one caller may see."""

    def __init__(self, feeds: Feeds, own: LiveRepository) -> None:
        self._feeds = feeds
        self._own = own

    def listen(self, benchmark_id: int) -> AbstractAsyncContextManager[Feed]:
        """As `Feeds.listen`."""
        return self._feeds.listen(benchmark_id, self._own)
