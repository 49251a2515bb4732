"""A PostgreSQL URL as libpq means it. The settings check it, `engine` connects with it. Needs no driver."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from shared.network.pem_files import key_problem, trust_problem

_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
# From the weakest to the strongest.
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DEFAULT_CONNECT_TIMEOUT_S = 5.0

# A name, an address or the folder of a socket, and a port. None: the driver's default.
Host = tuple[str | None, int | None]

_URL = re.compile(
    r"(?:(?P<user>[^:/?@]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<hosts>[^/?@]*)(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>.*))?")

_TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
# The values of parameters that have only these.
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "sslmode": SSL_MODES,
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": _TLS_VERSIONS,
    "ssl_max_protocol_version": _TLS_VERSIONS,
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "gsslib": ("gssapi", "sspi"),
}
_TLS_PARAMETERS = frozenset(
    [
        "sslmode",
        "sslnegotiation",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslpassword",
        "sslcrl",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
    ]
)
# asyncpg reads them from a URL as libpq does.
_DRIVER_PARAMETERS = _TLS_PARAMETERS | {"passfile", "service", "krbsrvname", "gsslib"}
_OWN_PARAMETERS = frozenset(
    [
        "host",
        "hostaddr",
        "port",
        "dbname",
        "database",
        "user",
        "password",
        "ssl",
        "connect_timeout",
        "options",
        "application_name",
        "fallback_application_name",
        "target_session_attrs",
        "pgbouncer",
        "statement_cache_size",
        "prepared_statement_cache_size",
    ]
)
# Values that ask for what the driver does anyway.
_WITHOUT_EFFECT: Mapping[str, tuple[str, ...]] = {
    "channel_binding": ("disable", "prefer"),
    "gssencmode": ("disable", "prefer"),
    "client_encoding": ("auto", "utf8", "utf-8", "unicode"),
    "load_balance_hosts": ("disable",),
    "replication": ("false", "off", "no", "0"),
    "sslcertmode": ("allow",),
    "sslcompression": ("0",),
    "sslsni": ("1",),
}


@dataclass(frozen=True, slots=True)
class PostgresqlUrl:
    """`hosts`: at least one. They are tried in this order.

    `driver_parameters` are libpq's parameters that asyncpg reads itself, `server_settings` go to the server.
    `connect_timeout_s` counts for each host; None: for ever. `ignored` names the parameters that have no effect.
    """

    user: str | None
    password: str | None = field(repr=False)
    hosts: tuple[Host, ...]
    database: str | None
    driver_parameters: Mapping[str, str] = field(repr=False)
    server_settings: Mapping[str, str]
    target_session_attrs: str | None
    connect_timeout_s: float | None
    cache_sizes: Mapping[str, int]
    transaction_pooling: bool
    ignored: tuple[str, ...]


def ignored_parameters(database_url: str) -> tuple[str, ...]:
    """The names of the parameters that have no effect. SQLite's driver refuses what it does not know."""
    return () if database_url.startswith("sqlite") else parse(database_url).ignored


def parse(url: str) -> PostgresqlUrl:
    """Raises ValueError, which names the parameter and never quotes the URL: it holds a password."""
    scheme, found, rest = url.partition("://")
    matched = _URL.fullmatch(rest)
    if scheme not in _SCHEMES or not found or matched is None:
        raise ValueError("is not a PostgreSQL URL: write special characters of the password in percent-encoding")
    hosts_in_query, parameters = _query(matched["query"] or "")
    for name, choices in _CHOICES.items():
        if parameters.get(name, choices[0]) not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}")
    if parameters.get("gssencmode") == "require":
        raise ValueError("gssencmode=require is not possible: the driver encrypts with TLS only")
    hosts = _hosts(matched["hosts"], hosts_in_query, parameters)
    tls = _tls(parameters)
    if all(name is not None and name.startswith("/") for name, _ in hosts):
        tls = {}  # as in libpq: a socket is never encrypted
    _check_files(tls)
    others = {name: parameters[name] for name in parameters.keys() & (_DRIVER_PARAMETERS - _TLS_PARAMETERS)}
    return PostgresqlUrl(
        user=parameters.get("user") or _decoded(matched["user"]),
        password=parameters.get("password") or _decoded(matched["password"]),
        hosts=hosts,
        database=parameters.get("dbname") or parameters.get("database") or _decoded(matched["database"]),
        driver_parameters=tls | others,
        server_settings=_server_settings(parameters),
        target_session_attrs=parameters.get("target_session_attrs"),
        connect_timeout_s=_connect_timeout_s(parameters),
        cache_sizes={
            name: _number(name, parameters[name], least=0)
            for name in ("statement_cache_size", "prepared_statement_cache_size")
            if name in parameters
        },
        transaction_pooling=_is_true("pgbouncer", parameters.get("pgbouncer", "false")),
        ignored=tuple(sorted(name for name, value in parameters.items() if _is_ignored(name, value, hosts))),
    )


def _query(query: str) -> tuple[list[str], dict[str, str]]:
    """(every `host`, all parameters). Of several with the same name the last counts; empty ones are not set."""
    hosts, parameters = [], {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if part and not equals:
            raise ValueError("has a query parameter without a value: write & in a value as %26")
        # Not `parse_qsl`: in libpq, + is a plus.
        name, value = unquote(name), unquote(value)
        if name == "host" and value:
            hosts.append(value)
        if value:
            parameters[name] = value
    return hosts, parameters


def _hosts(authority: str, in_query: list[str], parameters: Mapping[str, str]) -> tuple[Host, ...]:
    """`host=` replaces the hosts before the path, and `port=` their ports."""
    found = [_host(item) for item in authority.split(",")]
    if in_query:
        given = [_host_in_query(item) for item in ",".join(in_query).split(",")]
        # `//:5433/name?host=a` names the port only.
        port = found[0][1] if len(found) == 1 else ""
        found = [(name, own or port) for name, own in given]
    elif "hostaddr" in parameters and not any(name for name, _ in found):
        found = [(address, "") for address in parameters["hostaddr"].split(",")]
    if len(found) > 1 and not all(name for name, _ in found):
        raise ValueError("host has an empty entry")
    if "port" in parameters:
        ports = parameters["port"].split(",")
        if len(ports) not in (1, len(found)):
            raise ValueError(f"port has {len(ports)} entries for {len(found)} hosts")
        found = [(name, ports[index % len(ports)]) for index, (name, _) in enumerate(found)]
    return tuple((name or None, _number("port", port, 1, 65_535) if port else None) for name, port in found)


def _host(text: str) -> tuple[str, str]:
    matched = _HOST.fullmatch(text)
    if matched is None:
        raise ValueError("has a host that is no name and no address")
    return unquote(matched["ipv6"] or matched["name"]), matched["port"] or ""


def _host_in_query(text: str) -> tuple[str, str]:
    """Here an IPv6 address needs no brackets. `host:port` is SQLAlchemy's form."""
    name, colon, port = text.rpartition(":")
    return (name.strip("[]"), port) if colon and (":" not in name or name.endswith("]")) else (text.strip("[]"), "")


def _tls(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of TLS; empty without TLS."""
    tls = {name: parameters[name] for name in _TLS_PARAMETERS & parameters.keys()}
    if "sslmode" not in tls and "ssl" in parameters:
        # `ssl=true` is JDBC's form, which libpq knows too; `ssl=require` is asyncpg's.
        word = parameters["ssl"]
        tls["sslmode"] = word if word in SSL_MODES else "require" if _is_true("ssl", word) else "disable"
    mode = tls.get("sslmode")
    if mode == "disable":
        return {"sslmode": mode}
    if tls.get("sslrootcert") == "system":
        tls["sslmode"] = mode = mode or "verify-full"
        if mode != "verify-full":
            raise ValueError("sslrootcert=system needs sslmode=verify-full")
    if tls.get("sslnegotiation") == "direct" and SSL_MODES.index(mode or "prefer") < SSL_MODES.index("require"):
        raise ValueError("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    return tls


def _check_files(tls: Mapping[str, str]) -> None:
    for name in ("sslrootcert", "sslcrl"):
        if tls.get(name, "system") != "system" and (problem := trust_problem(tls[name])):
            raise ValueError(f"{name} is no file with certificates: {problem}")
    if "sslcert" in tls and (problem := key_problem(tls["sslcert"], tls.get("sslkey"), tls.get("sslpassword", ""))):
        names = " with ".join(name for name in ("sslcert", "sslkey", "sslpassword") if name in tls)
        raise ValueError(f"{names} is no certificate with its key: {problem}")


def _server_settings(parameters: Mapping[str, str]) -> dict[str, str]:
    settings = {}
    application = parameters.get("application_name") or parameters.get("fallback_application_name")
    if application:
        settings["application_name"] = application
    if "options" in parameters:
        settings["options"] = parameters["options"]
    return settings


def _connect_timeout_s(parameters: Mapping[str, str]) -> float | None:
    if "connect_timeout" not in parameters:
        return DEFAULT_CONNECT_TIMEOUT_S
    seconds = _number("connect_timeout", parameters["connect_timeout"])
    return seconds if seconds > 0 else None


def _is_ignored(name: str, value: str, hosts: tuple[Host, ...]) -> bool:
    if name == "hostaddr":
        return [host for host, _ in hosts] != value.split(",")
    return name not in _DRIVER_PARAMETERS | _OWN_PARAMETERS and value.lower() not in _WITHOUT_EFFECT.get(name, ())


def _is_true(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(f"{name} must be true or false")
    return text.lower() in ("true", "1")


def _number(name: str, text: str, least: int | None = None, most: int | None = None) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"{name} must be a whole number") from None
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"{name} must be {f'from {least} to {most}' if most else f'at least {least}'}")
    return number


def _decoded(text: str | None) -> str | None:
    return unquote(text) if text else None
