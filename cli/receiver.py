"""A receiver of webhooks for development (`llmbench webhooks listen`): it verifies events and prints them."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from cli.terminal.output import BAD, Line, clean, write

_MOST_BYTES = 1_000_000


class Receiver:
    """Listens inside its `with` block. It verifies events with `secret`, and refuses them until `secret` is set."""

    def __init__(self, host: str, port: int, answer: int, *, as_json: bool) -> None:
        self.secret: str | None = None
        self._answer = answer
        self._as_json = as_json
        self._server = ThreadingHTTPServer((host, port), self._handler())
        bound, free = self._server.server_address[:2]
        self.url = f"http://{bound!s}:{free}/"

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def receive(self, headers: dict[str, str], body: bytes) -> int:
        """Verifies and prints one event. Returns the HTTP status to answer with: 401 if it is not verified."""
        from standardwebhooks import Webhook

        try:
            event: dict[str, Any] = Webhook(self.secret or "").verify(body, headers)
        except Exception as exc:  # noqa: BLE001 - the library has errors of several kinds, some without a public name
            write([Line(f"NOT VERIFIED: {clean(str(exc))}", BAD)], sys.stderr)
            return 401
        if self._as_json:
            sys.stdout.write(json.dumps(event) + "\n")
            sys.stdout.flush()
        else:
            write([Line(_line(headers, event))])
            sys.stdout.flush()
        return self._answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = self.headers.get("content-length") or "0"
                if length.isascii() and length.isdecimal() and len(length) < 19:
                    body = self.rfile.read(min(int(length), _MOST_BYTES))
                    status = receiver.receive({name.lower(): value for name, value in self.headers.items()}, body)
                else:
                    status, self.close_connection = 400, True
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Does nothing: events are printed, requests are not."""

        return Handler


def _line(headers: dict[str, str], event: dict[str, Any]) -> str:
    data = event.get("data") or {}
    about = f"benchmark {data['id']} ({data.get('name')})" if "id" in data else str(data.get("message", ""))
    if "budget" in data:
        about = f"{data['budget']} of ${data.get('cap_usd'):,}"
    return clean(f"{event.get('timestamp')}  {event.get('type')}  {about}  {headers.get('webhook-id')}")
