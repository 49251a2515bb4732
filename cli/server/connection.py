"""A connection to a server: requests, answers and pages of lists. Every failure is a CliError that says what to do."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self, TypedDict, Unpack
from urllib.parse import urlsplit

import httpx2

from cli.exits import usage
from cli.server.answers import Json, Unreachable, body_of, page_of, problem_of
from cli.server.api_key import chosen_key
from cli.server.server_url import checked_url, without_password
from shared.network.hosts import is_loopback

# The API's largest pages of lists.
_PAGE = {
    "/benchmarks": 200,
    "/models": 500,
    "/datasets": 200,
    "/baselines": 200,
    "/audit": 200,
    "/keys": 200,
    "/budgets": 200,
}
# A large file is checked line by line before the server answers.
_UPLOAD_S = 600
_ANY_FILE = "application/octet-stream"


class _Request(TypedDict, total=False):
    """What a request has beside its path. `body`: sent as JSON. `file`: sent as it is, of the media type `kind`."""

    params: Mapping[str, str | list[str]]
    body: Json
    file: BinaryIO
    kind: str


class Connection:
    """To the server at `url`. Use as a context manager. `cli.server.client` names what the API offers."""

    def __init__(self, url: str, timeout_s: float = 30, *, owner: str | None = None) -> None:
        """`owner`: whose rows an admin asks for, `*` for those of all; by default the caller's own."""
        full = checked_url(url)
        self.url = without_password(full)
        self._timeout_s = timeout_s
        own = is_loopback(urlsplit(self.url).hostname or "")
        key = chosen_key()
        # Redirects are not followed, so the key goes to this server alone.
        self._http = httpx2.Client(
            base_url=full,
            params={} if owner is None else {"owner": owner},
            headers={"accept": "application/json", **({"authorization": f"Bearer {key}"} if key else {})},
            # A proxy (HTTP_PROXY) cannot reach this machine's loopback.
            trust_env=not own,
            # Plain HTTP needs no certificates, and reading them takes longer than the request. This context has none.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if own and self.url.startswith("http:") else True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _list(self, path: str, limit: int, where: Mapping[str, str | list[str] | None]) -> tuple[list[Json], bool]:
        """At most `limit` items that match the filters `where`; and whether there are more."""
        items, _, more = self._pages(path, limit, where)
        return items, more

    def _pages(
        self, path: str, limit: int, where: Mapping[str, str | list[str] | None]
    ) -> tuple[list[Json], Json, bool]:
        params: dict[str, str | list[str]] = {name: value for name, value in where.items() if value is not None}
        items: list[Json] = []
        first: Json = {}
        page: Json = {"next_cursor": None}
        while len(items) < limit:
            size = min(limit - len(items), _PAGE[path])
            response = self._send("GET", path, params={**params, "limit": str(size)})
            page = page_of(self._body(response), response, self.url)
            first = first or page
            items += page["items"]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        return items, first, page["next_cursor"] is not None

    def _json(self, method: str, path: str, **request: Unpack[_Request]) -> Json:
        return self._body(self._send(method, path, **request))

    def _send(self, method: str, path: str, **request: Unpack[_Request]) -> httpx2.Response:
        response = self._request(method, path, **request)
        if response.is_success:
            return response
        raise problem_of(response, self.url)

    def _request(self, method: str, path: str, **request: Unpack[_Request]) -> httpx2.Response:
        body, file = request.get("body"), request.get("file")
        try:
            content = file if body is None else json.dumps(body, allow_nan=False).encode()
        except ValueError as exc:
            raise usage("a number of the request is not finite, and JSON has none of these") from exc
        except RecursionError as exc:
            raise usage("the request is nested too deeply") from exc
        kind = "application/json" if file is None else request.get("kind", _ANY_FILE)
        headers = {} if content is None else {"content-type": kind}
        timeout_s = self._timeout_s if file is None else _UPLOAD_S
        with self._failing():
            return self._http.request(
                method, path, params=request.get("params"), content=content, headers=headers, timeout=timeout_s
            )

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Failures of the connection as CliErrors."""
        try:
            yield
        except httpx2.ConnectError as exc:
            raise Unreachable(
                f"no server answers at {self.url}",
                ("Start one with `llmbench up`, or name another with --server URL or LLMBENCH_SERVER.",),
            ) from exc
        except httpx2.TimeoutException as exc:
            raise Unreachable(f"{self.url} did not answer in time") from exc
        except httpx2.HTTPError as exc:
            raise Unreachable(f"the connection to {self.url} broke: {exc}") from exc

    def _body(self, response: httpx2.Response) -> Json:
        return body_of(response, self.url)
