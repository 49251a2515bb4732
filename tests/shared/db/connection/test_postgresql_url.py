"""A PostgreSQL URL as libpq means it."""

from pathlib import Path

import pytest

from shared.db.connection.postgresql_url import DEFAULT_CONNECT_TIMEOUT_S, SSL_MODES, Host, ignored_parameters, parse
from tests.support.servers.tls_front import Authority


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_user_password_and_database_are_decoded(scheme: str) -> None:
    found = parse(f"{scheme}://us%3Aer:p%40s%2Fs+%25@host:5433/d%20b")
    assert (found.user, found.password, found.database) == ("us:er", "p@s/s+%", "d b")
    assert found.hosts == (("host", 5433),)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql:///db", ((None, None),)),
        ("postgresql://", ((None, None),)),
        ("postgresql://u@/db", ((None, None),)),
        ("postgresql://:5433/db", ((None, 5433),)),
        ("postgresql://h", (("h", None),)),
        ("postgresql://u@[::1]:5433/db", (("::1", 5433),)),
        ("postgresql://a:1,b,[::1]:3/db", (("a", 1), ("b", None), ("::1", 3))),
        ("postgresql://%2Fvar%2Frun%2Fpostgresql/db", (("/var/run/postgresql", None),)),
        ("postgresql:///db?host=/var/run/postgresql&port=5433", (("/var/run/postgresql", 5433),)),
        ("postgresql://elsewhere:5433/db?host=/run/pg", (("/run/pg", 5433),)),
        ("postgresql:///db?host=a,b&port=1,2", (("a", 1), ("b", 2))),
        ("postgresql:///db?host=a,b&port=7", (("a", 7), ("b", 7))),
        ("postgresql:///db?host=a:1&host=b:2", (("a", 1), ("b", 2))),
        ("postgresql:///db?host=::1", (("::1", None),)),
        ("postgresql:///db?host=%5B::1%5D:5433", (("::1", 5433),)),
        ("postgresql:///db?hostaddr=10.0.0.1", (("10.0.0.1", None),)),
    ],
)
def test_hosts_and_ports_stand_in_several_places(url: str, hosts: tuple[Host, ...]) -> None:
    assert parse(url).hosts == hosts


def test_parameters_win_over_the_parts_before_them() -> None:
    found = parse("postgresql://u:p@h/db?user=u2&password=p%262&dbname=db2&host=h2")
    assert (found.user, found.password, found.database, found.hosts) == ("u2", "p&2", "db2", (("h2", None),))


def test_a_password_that_is_not_encoded_is_understood_where_it_can_be() -> None:
    found = parse("postgresql://u:p/a?s#s:w%zz@h/db")
    assert (found.user, found.password, found.hosts) == ("u", "p/a?s#s:w%zz", (("h", None),))


def test_the_url_of_a_hoster_with_everything() -> None:
    found = parse(
        "postgres://u:p%40ss@ep-1.example.com:5432/db?sslmode=require&channel_binding=require&application_name=my+app"
        "&connect_timeout=15&target_session_attrs=read-write&options=endpoint%3Dep-1%20-c%20search_path%3Da"
        "&keepalives=1&keepalives_idle=30&gssencmode=disable&pgbouncer=true&supa=base-pooler.x"
    )
    assert found.driver_parameters == {"sslmode": "require"}
    assert found.server_settings == {"application_name": "my+app", "options": "endpoint=ep-1 -c search_path=a"}
    assert (found.connect_timeout_s, found.target_session_attrs) == (15, "read-write")
    assert found.transaction_pooling
    assert found.ignored == ("channel_binding", "keepalives", "keepalives_idle", "supa")


def test_without_parameters_there_is_nothing_to_tell_the_driver() -> None:
    found = parse("postgresql://u@h/db?sslmode=")
    assert (dict(found.driver_parameters), dict(found.server_settings), dict(found.cache_sizes)) == ({}, {}, {})
    assert (found.connect_timeout_s, found.target_session_attrs) == (DEFAULT_CONNECT_TIMEOUT_S, None)
    assert (found.transaction_pooling, found.ignored) == (False, ())


@pytest.mark.parametrize("mode", SSL_MODES)
def test_every_ssl_mode_goes_to_the_driver(mode: str) -> None:
    assert parse(f"postgresql://h/db?sslmode={mode}").driver_parameters == {"sslmode": mode}
    assert parse(f"postgresql://h/db?ssl={mode}").driver_parameters == {"sslmode": mode}


@pytest.mark.parametrize(("word", "mode"), [("true", "require"), ("1", "require"), ("false", "disable")])
def test_ssl_without_a_mode_is_that_of_jdbc(word: str, mode: str) -> None:
    assert parse(f"postgresql://h/db?ssl={word}").driver_parameters == {"sslmode": mode}
    assert parse(f"postgresql://h/db?ssl={word}&sslmode=allow").driver_parameters == {"sslmode": "allow"}


def test_the_certificates_of_the_system_are_for_full_checks_only() -> None:
    assert parse("postgresql://h/db?sslrootcert=system").driver_parameters["sslmode"] == "verify-full"
    with pytest.raises(ValueError, match=r"^sslrootcert=system needs sslmode=verify-full$"):
        parse("postgresql://h/db?sslrootcert=system&sslmode=require")


def test_a_socket_is_never_encrypted_and_needs_no_certificates() -> None:
    found = parse("postgresql:///db?host=/run/pg&sslmode=verify-full&sslrootcert=/nowhere/ca.pem&passfile=/p")
    assert found.driver_parameters == {"passfile": "/p"}
    assert parse("postgresql://h/db?sslmode=disable&sslcert=/nowhere/c").driver_parameters == {"sslmode": "disable"}


def test_caches_have_sizes() -> None:
    found = parse("postgresql://h/db?statement_cache_size=0&prepared_statement_cache_size=500")
    assert found.cache_sizes == {"statement_cache_size": 0, "prepared_statement_cache_size": 500}


@pytest.mark.parametrize(("text", "seconds"), [("3", 3), ("0", None), ("-1", None)])
def test_a_connect_timeout_of_zero_is_none(text: str, seconds: float | None) -> None:
    assert parse(f"postgresql://h/db?connect_timeout={text}").connect_timeout_s == seconds


@pytest.mark.parametrize(
    "query",
    [
        "channel_binding=prefer&gssencmode=prefer&client_encoding=UTF8&sslsni=1&sslcompression=0",
        "load_balance_hosts=disable&sslcertmode=allow&replication=false&pgbouncer=false",
        "hostaddr=h",
    ],
)
def test_what_asks_for_what_happens_anyway_is_not_named_as_ignored(query: str) -> None:
    assert parse(f"postgresql://h/db?{query}").ignored == ()


def test_what_has_no_effect_is_named() -> None:
    url = "postgresql://h/db?tcp_user_timeout=1&hostaddr=10.0.0.1&require_auth=scram-sha-256&schema=public"
    assert ignored_parameters(url) == ("hostaddr", "require_auth", "schema", "tcp_user_timeout")
    assert ignored_parameters("sqlite:///x.db?timeout=5") == ()


SECRET = "Geheim123"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"postgresql://u:{SECRET}@h/db?sslmode={SECRET}", "sslmode must be one of disable, allow, prefer, require, "),
        (f"postgresql://u:{SECRET}@h/db?ssl=no-verify", "ssl must be true or false"),
        (f"postgresql://u:{SECRET}@h/db?target_session_attrs=writable", "target_session_attrs must be one of any, "),
        (f"postgresql://u:{SECRET}@h/db?channel_binding=yes", "channel_binding must be one of disable, "),
        (f"postgresql://u:{SECRET}@h/db?gssencmode=require", "gssencmode=require is not possible"),
        (f"postgresql://u:{SECRET}@h/db?sslnegotiation=direct", "sslnegotiation=direct needs sslmode=require, "),
        (f"postgresql://u:{SECRET}@h/db?ssl_min_protocol_version=SSLv3", "ssl_min_protocol_version must be one of "),
        (f"postgresql://u:{SECRET}@h/db?connect_timeout=soon", "connect_timeout must be a whole number"),
        (f"postgresql://u:{SECRET}@h/db?statement_cache_size=-1", "statement_cache_size must be at least 0"),
        (f"postgresql://u:{SECRET}@h/db?pgbouncer=maybe", "pgbouncer must be true or false"),
        (f"postgresql://u:{SECRET}@h/db?port=1,2", "port has 2 entries for 1 hosts"),
        (f"postgresql://u:{SECRET}@h:70000/db", "port must be from 1 to 65535"),
        (f"postgresql://u:{SECRET}@h:x/db", "port must be a whole number"),
        (f"postgresql://u:{SECRET}@a,,b/db", "host has an empty entry"),
        (f"postgresql://u:{SECRET}@[::1/db", "has a host that is no name and no address"),
        (f"postgresql://u:{SECRET}@{SECRET}@h/db", "is not a PostgreSQL URL: write special characters"),
        (f"postgresql://u@h/db?password=a&{SECRET}", "has a query parameter without a value: write & in a value as"),
        (f"postgresql:u:{SECRET}@h/db", "is not a PostgreSQL URL"),
        (f"postgresql://u:{SECRET}@h/db?sslrootcert=/no/ca.pem", "sslrootcert is no file with certificates: No such "),
        (f"postgresql://u:{SECRET}@h/db?sslcrl=/no/crl.pem", "sslcrl is no file with certificates: No such file"),
        (f"postgresql://u:{SECRET}@h/db?sslcert=/no/c&sslkey=/no/k", "sslcert with sslkey is no certificate with its"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(url: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(url)
    assert str(caught.value).startswith(message)
    assert SECRET not in str(caught.value)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    letter = tmp_path / "letter.pem"
    letter.write_text("Dear Sir or Madam,", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^sslrootcert is no file with certificates: "):
        parse(f"postgresql://h/db?sslmode=verify-ca&sslrootcert={letter}")
    certificate, _ = Authority(tmp_path).client()
    with pytest.raises(ValueError, match=r"^sslcert is no certificate with its key: "):
        parse(f"postgresql://h/db?sslcert={certificate}")


def test_neither_password_is_in_its_text(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).client()
    url = f"postgresql://u:{SECRET}@h/db?sslcert={certificate}&sslkey={key}&sslpassword={SECRET}"
    assert SECRET not in repr(parse(url))
