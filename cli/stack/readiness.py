"""`GET /ready` of a server, and which part is missing."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

_PARTS = ("database", "queue", "worker")


@dataclass(frozen=True, slots=True)
class Answer:
    """`part`: the first that is not ready, as `/ready` names it; `api` where that does not answer."""

    ready: bool
    part: str = ""
    detail: str = ""


def readiness(url: str) -> Answer:
    """Never raises: no answer is an answer too."""
    # Asked many times a second while API and worker start: the standard library needs no TLS set-up for that.
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
