"""A real HTTP server that answers as the API does, from a script. It remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cli import documents

Answer = tuple[int, Any]


@dataclass
class FakeApi:
    """`reads`: what `GET /benchmarks/{id}` answers, one after the other; the last one stays."""

    url: str = ""
    submit: Answer = (202, documents.benchmark(status="pending"))
    reads: list[Answer] = field(default_factory=lambda: [(200, documents.benchmark())])
    ready: Answer = (200, {"status": "ready"})
    answers: dict[str, Answer] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=lambda: [documents.result(0), documents.result(1)])
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    # The `Authorization` of each request, and where a request is sent on to.
    authorizations: list[str | None] = field(default_factory=list)
    moved_to: str | None = None
    asked: threading.Event = field(default_factory=threading.Event)

    def answer(self, method: str, target: str, body: Any) -> Answer:
        self.requests.append((method, target, body))
        path = urlsplit(target).path
        if f"{method} {path}" in self.answers:
            return self.answers[f"{method} {path}"]
        if path == "/ready":
            return self.ready
        if method == "POST" and path == "/benchmarks":
            return self.submit
        if path.endswith("/results"):
            return self._page(target)
        if method == "GET" and path.startswith("/benchmarks/"):
            self.asked.set()
            return self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        return 404, documents.problem(404, "there is nothing at this path")

    def sent(self, method: str, path: str) -> list[Any]:
        """Bodies of the requests to a path."""
        return [body for verb, target, body in self.requests if verb == method and urlsplit(target).path == path]

    def _page(self, target: str) -> Answer:
        query = parse_qs(urlsplit(target).query)
        start, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        end = start + limit
        cursor = str(end) if end < len(self.results) else None
        return 200, {"items": self.results[start:end], "next_cursor": cursor}


@contextmanager
def serving(api: FakeApi) -> Iterator[FakeApi]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            is_json = self.headers.get("content-type") == "application/json"
            body = (json.loads(raw) if is_json else raw) if length else None
            api.authorizations.append(self.headers.get("authorization"))
            if api.moved_to is not None:
                self.send_response(307)
                self.send_header("location", api.moved_to + self.path)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            status, answer = api.answer(self.command, self.path, body)
            is_html = isinstance(answer, str)
            content = answer.encode() if is_html else b"" if status == 204 else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "text/html" if is_html else "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - the names that http.server wants

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
