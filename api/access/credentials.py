"""What a request shows of who it is: the key in its `Authorization` header."""

from starlette.datastructures import Headers

from shared.access.api_key import ApiKeyText, NoApiKey, parse

_SCHEME = "bearer"


def key_of(headers: Headers) -> ApiKeyText | None:
    """The key of `Authorization: Bearer lbk_…`. None without one, and for other schemes, which proxies in front use.

    Raises NoApiKey.
    """
    values = [value.strip() for value in headers.getlist("authorization")]
    bearer = [value for value in values if value.partition(" ")[0].lower() == _SCHEME]
    if not bearer:
        return None
    if len(values) > 1:
        raise NoApiKey("is in one of several Authorization headers")
    return parse(bearer[0].partition(" ")[2].strip())
