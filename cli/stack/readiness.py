"""`GET /ready` of a server, and which part is missing."""

from dataclasses import dataclass

import httpx2

_PARTS = ("database", "queue", "worker")


@dataclass(frozen=True, slots=True)
class Answer:
    """`part`: the first that is not ready, as `/ready` names it; `api` where that does not answer."""

    ready: bool
    part: str = ""
    detail: str = ""


def readiness(url: str) -> Answer:
    """Never raises: no answer is an answer too."""
    try:
        response = httpx2.get(f"{url}/ready", timeout=5, trust_env=False)
        body = response.json()
    except (httpx2.HTTPError, ValueError) as exc:
        return Answer(False, "api", f"no answer from {url}/ready ({type(exc).__name__})")
    if response.status_code == 200:
        return Answer(True)
    for name in _PARTS:
        check = body.get(name) if isinstance(body, dict) else None
        if isinstance(check, dict) and not check.get("ok"):
            return Answer(False, name, str(check.get("detail")))
    return Answer(False, "api", f"HTTP {response.status_code} from {url}/ready")
