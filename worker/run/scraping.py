"""Reads one Prometheus endpoint of the server under test. Nothing that it answers ends or delays the run."""

import asyncio
import ssl
from typing import Self

import httpcore2
import structlog

from shared.clock import Clock
from shared.observing.exposition import Unreadable, readings
from shared.observing.sample import Reading
from shared.providers.metrics_urls import MetricsRequest

log = structlog.get_logger(__name__)

TIMEOUT_S = 1.0
MAX_BYTES = 2_000_000

_HEADERS = (("accept", "text/plain;version=0.0.4"), ("accept-encoding", "identity"), ("user-agent", "llmbench"))


class _Refused(Exception):
    """The answer is not used; the text says why in one word."""


class Scraper:
    """One endpoint over a connection of its own, one request at a time. Use it as an async context manager."""

    def __init__(
        self, request: MetricsRequest, tls: ssl.SSLContext, clock: Clock, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        own = {name.lower() for name, _ in request.headers}
        self._headers = [*(pair for pair in _HEADERS if pair[0] not in own), *request.headers]
        self._url = request.url
        self._clock = clock
        self._timeout_s = timeout_s
        self._pool = httpcore2.AsyncConnectionPool(ssl_context=tls, max_connections=1)
        # Kinds of failures that were logged.
        self._told: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._pool.aclose()

    async def scrape(self) -> Reading | str:
        """What the endpoint says now, or in one word why it says nothing that can be used."""
        try:
            async with asyncio.timeout(self._timeout_s):
                text = await self._get()
                at_ns = self._clock.monotonic_ns()
                # In a thread, because a server may send a text that is long to read.
                said = await asyncio.to_thread(readings, text)
                return Reading(at_ns, said.values, said.totals)
        except TimeoutError:
            return self._failed("timed_out")
        except Unreadable as exc:
            return self._failed(exc.kind)
        except _Refused as exc:
            return self._failed(str(exc))
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as exc:
            return self._failed("unreachable", error=type(exc).__name__)
        except Exception:
            # Nothing that a server answers may end the run.
            log.exception("metrics_scrape_broke")
            return "unreachable"

    async def _get(self) -> bytes:
        async with self._pool.stream("GET", self._url, headers=list(self._headers)) as response:
            if response.status != 200:
                raise _Refused("http_error")
            parts, size = [], 0
            async for part in response.aiter_stream():
                parts.append(part)
                size += len(part)
                if size > MAX_BYTES:
                    raise _Refused("too_large")
            return b"".join(parts)

    def _failed(self, kind: str, **said: str) -> str:
        if kind not in self._told:
            self._told.add(kind)
            log.warning("metrics_not_read", url=self._url.partition("?")[0], reason=kind, **said)
        return kind
