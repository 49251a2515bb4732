"""`GET /ready` of a server, and which part is missing."""

from dataclasses import dataclass

import httpx2

# The names under which `/ready` and the stack know the same part.
_PARTS = {"database": "database", "queue": "valkey", "worker": "worker"}


@dataclass(frozen=True, slots=True)
class Answer:
    """`part`: the first that is not ready, by the name of the stack's child."""

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
    for name, part in _PARTS.items():
        check = body.get(name) if isinstance(body, dict) else None
        if isinstance(check, dict) and not check.get("ok"):
            return Answer(False, part, str(check.get("detail")))
    return Answer(False, "api", f"HTTP {response.status_code} from {url}/ready")
