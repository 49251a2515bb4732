"""The pool of the SDK transport's connections, straight to the server or through a proxy."""

from typing import Any

import httpcore2
import httpx2

from shared.network.tls import client_context


class Pool(httpcore2.AsyncConnectionPool):
    """Of `connections`. `proxy` may have a name and a password. Further options are those of httpcore2's own pool."""

    def __init__(self, *, connections: int, proxy: str | None, **options: Any) -> None:
        super().__init__(
            proxy=_proxy(proxy) if proxy else None,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            http1=True,
            http2=False,
            **options,
        )

    def create_connection(self, origin: httpcore2.Origin) -> httpcore2.AsyncConnectionInterface:
        return _Connection(super().create_connection(origin))


def _proxy(url: str) -> httpcore2.Proxy:
    proxy = httpx2.Proxy(url)
    return httpcore2.Proxy(
        httpcore2.URL(
            scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
        ),
        auth=proxy.raw_auth,
        # The endpoint's own trust is for the endpoint.
        ssl_context=client_context() if proxy.url.scheme == "https" else None,
    )


class _Connection(httpcore2.AsyncConnectionInterface):
    """Closes when its request fails. httpcore2 would keep a tunnel without its handshake in the pool for ever."""

    def __init__(self, inner: httpcore2.AsyncConnectionInterface) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpcore2.Request) -> httpcore2.Response:
        try:
            return await self._inner.handle_async_request(request)
        except httpcore2.ConnectionNotAvailable:
            # Another request is under way on it.
            raise
        except BaseException:
            await self._inner.aclose()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    def info(self) -> str:
        return self._inner.info()

    def can_handle_request(self, origin: httpcore2.Origin) -> bool:
        return self._inner.can_handle_request(origin)

    def is_connected(self) -> bool:
        return self._inner.is_connected()

    def is_available(self) -> bool:
        return self._inner.is_available()

    def has_expired(self) -> bool:
        return self._inner.has_expired()

    def is_idle(self) -> bool:
        return self._inner.is_idle()

    def is_closed(self) -> bool:
        return self._inner.is_closed()
