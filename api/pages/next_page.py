"""Where a login leads: the page that was asked for, and never another site."""

from urllib.parse import unquote, urlsplit

HOME = "/ui/benchmarks"
MAX_CHARS = 2_000


def next_page(asked: str | None) -> str:
    """A path of a page with its query, without a proxy's prefix. Anything else leads to the list of benchmarks."""
    text = asked or ""
    if len(text) > MAX_CHARS or not text.isprintable() or "\\" in text or " " in text:
        return HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    path = unquote(parts.path)
    is_page = path == "/docs" or (path.startswith("/ui/") and not path.startswith(("/ui/login", "/ui/logout")))
    if parts.scheme or parts.netloc or not text.startswith("/") or not is_page:
        return HOME
    # `/ui/../x` and `/ui//host` are no pages either.
    if any(part in ("", ".", "..") for part in path.split("/")[1:]) or not path.isprintable() or "\\" in path:
        return HOME
    return parts._replace(fragment="").geturl()
