"""Asks `GET /ready` of a server, and says which part is not ready."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

_PARTS = ("database", "queue", "worker")


@dataclass(frozen=True, slots=True)
class Answer:
    """`part` is the first part that is not ready, as `/ready` names it, or `api` if that does not answer."""

    ready: bool
    part: str = ""
    detail: str = ""


def readiness(url: str) -> Answer:
    """The state of the server at `url`. Never raises: if nothing answers, `api` is not ready."""
    # This is called many times a second during the start. The standard library's client needs no TLS set-up.
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        body = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as exc:
        return Answer(False, "api", f"no answer from {url}/ready ({type(exc).__name__})")
    finally:
        connection.close()
    if response.status == 200:
        return Answer(True)
    for name in _PARTS:
        check = body.get(name) if isinstance(body, dict) else None
        if isinstance(check, dict) and not check.get("ok"):
            return Answer(False, name, str(check.get("detail")))
    return Answer(False, "api", f"HTTP {response.status} from {url}/ready")
