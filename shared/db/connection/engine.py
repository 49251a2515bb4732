"""Makes SQLAlchemy's engine for a database URL. For `Database` and the migrations."""

import ssl
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.connection import postgresql_url
from shared.db.connection.postgresql_url import PostgresqlUrl

# How long a SQLite writer waits for another process's transaction: a migration, or one of those here, which take
# milliseconds.
SQLITE_BUSY_MS = 30_000


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def make_engine(
    url: str,
    *,
    transaction_pooling: bool = False,
    connect_args: dict[str, Any] | None = None,
    server_settings: dict[str, str] | None = None,
    **options: Any,
) -> AsyncEngine:
    """`options` are those of `create_async_engine`. `server_settings`: of PostgreSQL; those of the URL win.

    `transaction_pooling`: the server may be another one in each transaction, as behind PgBouncer in transaction mode
    (`Settings.transaction_pooling`).
    """
    if is_sqlite(url):
        arguments: dict[str, Any] = {}
    else:
        target = postgresql_url.parse(url)
        arguments = _arguments(target)
        if server_settings:
            arguments["server_settings"] = {**server_settings, **arguments.get("server_settings", {})}
        if transaction_pooling:
            # Prepared statements without a name, each used at once and in its own transaction: nothing of them is
            # left on a server for which the pooler may have another client next.
            arguments |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    return create_async_engine(async_url(url), connect_args={**arguments, **(connect_args or {})}, **options)


def async_url(url: str) -> URL:
    """The URL with the driver that this service uses: asyncpg or aiosqlite. Without a PostgreSQL URL's parameters."""
    if is_sqlite(url):
        return make_url(url).set(drivername="sqlite+aiosqlite")
    target = postgresql_url.parse(url)
    host, port = target.hosts[0]
    return URL.create("postgresql+asyncpg", target.user, target.password, host, port, target.database)


def _arguments(target: PostgresqlUrl) -> dict[str, Any]:
    """The arguments of asyncpg that SQLAlchemy's URL cannot carry."""
    parameters = dict(target.driver_parameters)
    arguments: dict[str, Any] = dict(target.cache_sizes)
    if parameters.get("sslrootcert") == "system":
        # asyncpg takes the word for a file's name.
        arguments["ssl"] = _system_trust(parameters)
        del parameters["sslrootcert"]
    if parameters:
        arguments["dsn"] = URL.create("postgresql", query=parameters).render_as_string(hide_password=False)
    if target.server_settings:
        arguments["server_settings"] = dict(target.server_settings)

    async def connect(**arguments: Any) -> Any:
        return await _connect(target, arguments)

    return {**arguments, "async_creator_fn": connect}


async def _connect(target: PostgresqlUrl, arguments: dict[str, Any]) -> Any:
    """Tries the hosts one by one, each for the whole time. Raises OSError or the server's error.

    asyncpg itself spends the time of all of them on the first host that does not answer.
    """
    import asyncpg  # not needed for SQLite

    failure: Exception = ConnectionError("there is no host")
    wanted = target.target_session_attrs
    for attributes in ("standby", "any") if wanted == "prefer-standby" else (wanted,):
        for host, port in target.hosts:
            place = {"host": host, "port": port, "timeout": target.connect_timeout_s}
            try:
                return await asyncpg.connect(**{**arguments, **place}, target_session_attrs=attributes)
            except asyncpg.exceptions.ClientConfigurationError as exc:
                checks = target.driver_parameters.get("sslmode", "").startswith("verify-")
                if not checks or "sslrootcert" in target.driver_parameters:
                    raise
                message = f"{exc.args[0]}; sslrootcert=FILE names one, sslrootcert=system is the system's"
                raise ConnectionError(message) from None
            except asyncpg.TargetServerAttributeNotMatched:
                failure = ConnectionError(f"no host is {wanted} (target_session_attrs)")
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError) as exc:
                failure = exc
    raise failure


def _system_trust(parameters: dict[str, str]) -> ssl.SSLContext:
    """The certificates of the system, which the server's certificate and name must match."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_default_verify_paths()
    context.set_alpn_protocols(["postgresql"])
    lowest, highest = (parameters.get(f"ssl_{end}_protocol_version") for end in ("min", "max"))
    context.minimum_version = ssl.TLSVersion[(lowest or "TLSv1.2").replace(".", "_")]
    if highest:
        context.maximum_version = ssl.TLSVersion[highest.replace(".", "_")]
    if "sslcrl" in parameters:
        context.load_verify_locations(cafile=parameters["sslcrl"])
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if "sslcert" in parameters:
        password = parameters.get("sslpassword", "")
        context.load_cert_chain(parameters["sslcert"], parameters.get("sslkey"), lambda: password)
    return context
