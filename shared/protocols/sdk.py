"""How a request is sent with a protocol's official SDK. Adapters describe it, `worker.engine.sdk_clients` sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any


@dataclass(frozen=True, slots=True)
class Sdk:
    """The class of the asynchronous client, its method that streams, and the exceptions that both raise."""

    # Makes a client from `api_key`, `base_url`, `max_retries`, `timeout`, `http_client` and `default_headers`.
    client: Callable[..., Any]
    # Path of the method below the client. It returns an asynchronous context manager of a raw response.
    method: str
    # Body fields that are arguments of the method. The others travel as its `extra_body`.
    arguments: frozenset[str]
    # Exception classes: an answer that is not 2xx (with `status_code` and `response`), no connection, all errors.
    status_error: Any
    connection_error: Any
    error: Any

    def create(self, **options: Any) -> Callable[[Mapping[str, Any]], Any]:
        """Makes a client with these options, and returns a function that sends a body with it.

        The function returns what `method` returns.
        """
        method = attrgetter(self.method)(self.client(**options))

        def send(body: Mapping[str, Any]) -> Any:
            named = {name: value for name, value in body.items() if name in self.arguments}
            return method(**named, extra_body={name: value for name, value in body.items() if name not in named})

        return send
