"""Makes one HTTP request of a webhook: signed, only to allowed addresses, limited in time, without redirects."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore2
import httpx2
import structlog

from shared.clock import Clock
from shared.db.webhooks.deliveries import Attempt, Due
from shared.errors import Unavailable
from shared.network.ssrf import ForbiddenUrl, SsrfGuard
from shared.network.tls import client_context
from shared.text import replace_unstorable
from shared.version import __version__
from shared.webhooks.message import USER_AGENT, payload, signed_headers, wait_s
from shared.webhooks.secret_box import SecretBox

log = structlog.get_logger(__name__)

TIMEOUT_S = 15.0
# How much of an answer is read, and how much of that is stored.
MAX_READ_BYTES = 64_000
MAX_KEPT_CHARS = 2_000


class Sender:
    """Makes attempts. `jitter` gives numbers between -1 and 1."""

    def __init__(
        self,
        guard: SsrfGuard,
        box: SecretBox,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._backend = GuardedBackend(guard)
        self._box = box
        self._clock = clock
        self._jitter = jitter
        self._timeout_s = timeout_s

    async def attempt(self, due: Due) -> Attempt:
        """Makes the attempt and returns its result. Nothing that the receiver does raises an exception."""
        begin_ns = self._clock.monotonic_ns()
        status: int | None = None
        headers: dict[str, str] = {}
        text: str | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                status, headers, text = await self._post(due)
        except TimeoutError:
            error = f"no complete answer within {self._timeout_s:g} s"
        except (ForbiddenUrl, Unavailable) as exc:
            error = str(exc)
        except (httpcore2.ProtocolError, httpx2.InvalidURL):
            error = "the answer is not HTTP"
        except (httpcore2.NetworkError, httpcore2.TimeoutException, OSError) as exc:
            error = "TLS failed" if _by_tls(exc) else "the connection failed"
        except Exception:
            # Any other error also ends the attempt as failed. An attempt without a result would be repeated for ever.
            log.exception("webhook_attempt_broke", delivery_id=due.delivery_id)
            error = "the request could not be sent"
        if status is not None and not 200 <= status < 300:
            error = f"answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
        succeeded = error is None
        wait = None
        if not succeeded:
            wait = wait_s(due.step + 1, _retry_after_s(headers, self._clock.wall_now()), self._jitter())
        return Attempt(
            succeeded=succeeded,
            duration_ms=(self._clock.monotonic_ns() - begin_ns) / 1e6,
            status_code=status,
            error=error,
            response=text,
            wait_s=wait,
            gone=status == 410,
        )

    async def _post(self, due: Due) -> tuple[int, dict[str, str], str]:
        now = self._clock.wall_now()
        body = payload(due.event_type, due.event_at, due.data)
        signing = [self._box.open(sealed) for sealed, until in due.secrets if until is None or until > now]
        url = httpx2.URL(due.url)
        headers = {
            "host": url.netloc.decode(),
            "content-type": "application/json",
            "content-length": str(len(body)),
            "user-agent": f"{USER_AGENT}{__version__}",
            **signed_headers(due.event_id, now, body, signing),
        }
        # In a thread: the first request reads the system's certificates, which takes a hundredth of a second.
        tls = await asyncio.to_thread(client_context) if url.scheme == "https" else None
        # A new pool for each request, so that no connection rests on an older answer of DNS.
        async with httpcore2.AsyncConnectionPool(ssl_context=tls, network_backend=self._backend) as pool:
            target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
            async with pool.stream("POST", target, headers=list(headers.items()), content=body) as response:
                answer = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                received = b""
                async for chunk in response.aiter_stream():
                    received += chunk
                    if len(received) >= MAX_READ_BYTES:
                        break
                text = received[: 4 * MAX_KEPT_CHARS].decode("utf-8", "replace")
                return response.status, answer, replace_unstorable(text)[0][:MAX_KEPT_CHARS]


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects only to addresses that the guard allowed, even if the name resolves otherwise by then.

    SNI and Host keep the name.
    """

    def __init__(self, guard: SsrfGuard) -> None:
        self._guard = guard
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: Exception | None = None
        for address in await self._guard.addresses(host):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as exc:
                failed = exc
        raise failed or httpcore2.ConnectError("nothing to connect to")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _by_tls(exc: BaseException | None) -> bool:
    while exc is not None and not isinstance(exc, ssl.SSLError):
        exc = exc.__cause__ or exc.__context__
    return exc is not None


def _retry_after_s(headers: dict[str, str], now: datetime) -> float | None:
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
