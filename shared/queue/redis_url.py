"""Checks REDIS_URL for the settings, so that a program refuses a wrong one at its start. Needs no driver."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlsplit

from shared.network.pem_files import key_problem, trust_problem

SCHEMES = ("redis", "rediss", "unix")


def check(url: str) -> None:
    """Raises ValueError, which names the parameter and never quotes the URL: it holds a password.

    redis-py silently takes database 0 for a wrong path and fails at the first connection for a wrong parameter.
    """
    scheme, found, _ = url.partition("://")
    if scheme not in SCHEMES or not found:
        raise ValueError("must start with redis://, rediss:// or unix://")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(
            "has a wrong host or port: write special characters of the password in percent-encoding"
        ) from None
    if scheme != "unix" and parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError("must have the number of a database as its path")
    given = dict(parse_qsl(parts.query))
    for name, value in given.items():
        if name in _OF_TLS and scheme != "rediss":
            raise ValueError(f"{name} needs rediss://")
        if name not in _KNOWN or (name == "socket_keepalive" and scheme == "unix"):
            raise ValueError("has a parameter that is not supported" + (f": {name}" if name.isidentifier() else ""))
        _KNOWN[name](name, value)
    _check_tls(given)


def _check_tls(given: Mapping[str, str]) -> None:
    if given.get("ssl_cert_reqs") == "none" and given.get("ssl_check_hostname", "no").upper() not in _FALSE:
        raise ValueError("ssl_check_hostname needs ssl_cert_reqs=required")
    if "ssl_ca_certs" in given and (problem := trust_problem(given["ssl_ca_certs"])):
        raise ValueError(f"ssl_ca_certs is no file with certificates: {problem}")
    if ("ssl_certfile" in given) != ("ssl_keyfile" in given):
        raise ValueError("ssl_certfile and ssl_keyfile need each other")
    if "ssl_certfile" in given and (problem := key_problem(given["ssl_certfile"], given["ssl_keyfile"])):
        raise ValueError(f"ssl_certfile with ssl_keyfile is no certificate with its key: {problem}")


def _text(name: str, value: str) -> None:
    """Any text is right."""


def _number(kind: Callable[[str], float]) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        try:
            kind(value)
        except ValueError:
            raise ValueError(f"{name} must be a number") from None

    return check


def _one_of(*choices: str) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        if value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}")

    return check


# What redis-py takes for false; everything else is true.
_FALSE = ("0", "F", "FALSE", "N", "NO")
_OF_TLS: Mapping[str, Callable[[str, str], None]] = {
    "ssl_cert_reqs": _one_of("none", "optional", "required"),
    "ssl_ca_certs": _text,
    "ssl_ca_data": _text,
    "ssl_certfile": _text,
    "ssl_keyfile": _text,
    "ssl_check_hostname": _text,
    "ssl_ciphers": _text,
}
_KNOWN: Mapping[str, Callable[[str, str], None]] = {
    "db": _number(int),
    "username": _text,
    "password": _text,
    "client_name": _text,
    "protocol": _one_of("2", "3"),
    "max_connections": _number(int),
    "health_check_interval": _number(int),
    "retry_on_timeout": _text,
    "socket_connect_timeout": _number(float),
    "socket_timeout": _number(float),
    "socket_keepalive": _text,
    **_OF_TLS,
}
