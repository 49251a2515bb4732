"""The proxy that a variable of the environment names."""

from shared.network import http_url


class UnusableProxy(ValueError):
    """No request can go through the proxy of the environment. The message names the variable, and not its value."""


def proxy_url(text: str, variable: str) -> str:
    """The URL of a proxy; one without a scheme is `http`, as it is for curl. Raises UnusableProxy."""
    url = text if "://" in text else f"http://{text}"
    if not http_url.leads_somewhere(url) or " " in url:
        # The value may hold a password.
        raise UnusableProxy(f"{variable} cannot be used: it must be like http://proxy.example:3128, with http or https")
    return url
