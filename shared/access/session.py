"""The secret of a browser's session, and what is derived from it. For `api.access` and `shared.db.access.sessions`."""

import base64
import hashlib
import hmac
import re
import secrets

SECRET_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """The value of a cookie. Only its hash is stored."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_secret(text: str) -> bool:
    """Whether a text may be the value of such a cookie."""
    return _SECRET.fullmatch(text) is not None


def hash_of(secret: str, user: str | None = None) -> str:
    """The hash that is stored. `user`: whom a trusted proxy named; the session is only found with the same name."""
    return hashlib.sha256((secret if user is None else f"{secret}\n{user}").encode()).hexdigest()


def csrf_token(secret: str) -> str:
    """The token of the session's forms. Pages of other sites cannot read the cookie, so they cannot make it."""
    digest = hmac.digest(secret.encode(), b"llmbench forms", "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_csrf_token(given: str, secret: str) -> bool:
    """Whether a text is the token of this session, in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), csrf_token(secret).encode())
