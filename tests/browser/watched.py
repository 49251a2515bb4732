"""A tab that remembers everything that went wrong in it: errors, lost requests, requests to another host."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

WIDE, NARROW = 1440, 360
HEIGHT = 900
# What a browser loads without asking a server.
_LOCAL = {"data", "blob", "about"}
# A page that is left ends what it was asking for.
_LEFT = "net::ERR_ABORTED"
_PATIENCE_MS = 60_000


class Watched:
    """`problems` is empty as long as nothing went wrong. A test may take what it provoked itself out of it."""

    def __init__(self, page: "Page", origin: str) -> None:
        self.page = page
        self.origin = origin
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.set_default_timeout(20_000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: uncaught {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def open(self, path: str) -> "Page":
        """Opens a page of the product and waits until it is loaded."""
        answer = self.page.goto(self.origin + path, wait_until="load")
        assert answer is not None
        assert answer.status == 200, f"{path} answers {answer.status}"
        return self.page

    def until(self, expression: str) -> None:
        """Waits until it is true in the page. The wait of playwright would be refused by the policy of the page."""
        deadline = self.page.evaluate("performance.timeOrigin + performance.now()") + _PATIENCE_MS
        while not self.page.evaluate(expression):
            now = self.page.evaluate("performance.timeOrigin + performance.now()")
            assert now < deadline, f"{self.page.url}: never came true: {expression}"
            self.page.wait_for_timeout(50)

    def _on_console(self, message: "ConsoleMessage") -> None:
        # Breaches of the content security policy are errors in the console.
        if message.type in ("error", "warning"):
            self.problems.append(f"{self.page.url}: console {message.type}: {message.text}")

    def _on_request(self, request: "Request") -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme not in _LOCAL and f"{parts.scheme}://{parts.netloc}" != self._host:
            self.problems.append(f"{self.page.url}: asks another host: {request.url[:200]}")

    def _on_failed(self, request: "Request") -> None:
        if request.failure != _LEFT:
            self.problems.append(f"{self.page.url}: {request.method} {request.url} failed: {request.failure}")

    def _on_response(self, response: "Response") -> None:
        if response.status >= 400:
            self.problems.append(f"{self.page.url}: {response.request.method} {response.url} answers {response.status}")

    @property
    def _host(self) -> str:
        parts = urlsplit(self.origin)
        return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def tab(browser: "Browser", origin: str, *, width: int = WIDE, dark: bool = False, **options: Any) -> Iterator[Watched]:
    """A tab of its own storage. It must be without problems at the end."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        timezone_id="UTC",
        **options,
    )
    try:
        watched = Watched(context.new_page(), origin)
        yield watched
        assert watched.problems == []
    finally:
        context.close()
