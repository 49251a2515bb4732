"""`sslmode` and what belongs to it, against PostgreSQL behind TLS."""

import asyncio
import re
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import make_url, text

from shared.db.connection.database import Database
from shared.errors import Unavailable
from shared.settings import process_environment
from tests.conftest import TEMPLATE
from tests.support.programs.ports import free_port
from tests.support.servers.tls_front import Authority, Policy, TlsFront, tls_front


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def before(url: str, context: ssl.SSLContext, policy: Policy = "offered") -> AsyncIterator[TlsFront]:
    target = make_url(url)
    async with tls_front(str(target.host), target.port or 5432, context, policy) as front:
        yield front


def through(front: TlsFront, url: str, query: str, host: str = "127.0.0.1") -> str:
    target = make_url(url).set(host=host, port=front.port)
    return f"{target.render_as_string(hide_password=False)}?{query}"


async def connects(url: str) -> None:
    database = Database(url)
    try:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("mode", "policy", "encrypted"),
    [
        ("sslmode=disable", "offered", False),
        ("sslmode=disable", "required", None),
        ("sslmode=allow", "offered", False),
        ("sslmode=allow", "required", True),
        ("sslmode=prefer", "offered", True),
        ("sslmode=prefer", "refused", False),
        ("", "offered", True),
        ("", "refused", False),
        ("sslmode=require", "offered", True),
        ("sslmode=require", "refused", None),
        ("ssl=true", "refused", None),
        ("sslmode=verify-ca&sslrootcert={ca}", "offered", True),
        ("sslmode=verify-ca&sslrootcert={ca}", "refused", None),
        ("sslmode=verify-full&sslrootcert={ca}", "offered", True),
        ("sslmode=verify-full&sslrootcert={ca}", "refused", None),
    ],
)
async def test_each_mode_asks_for_what_libpq_asks_for(
    postgresql_server_url: str, authority: Authority, mode: str, policy: Policy, encrypted: bool | None
) -> None:
    """None: it does not connect."""
    query = mode.format(ca=authority.ca_file)
    async with before(postgresql_server_url, authority.server("127.0.0.1"), policy) as front:
        url = through(front, postgresql_server_url, query)
        if encrypted is None:
            with pytest.raises(Unavailable):
                await connects(url)
            assert front.encrypted == []
        else:
            await connects(url)
            assert front.encrypted == [encrypted]


@pytest.mark.parametrize(
    ("mode", "checks_authority", "checks_name"),
    [
        ("sslmode=prefer&sslrootcert={ca}", False, False),
        ("sslmode=require", False, False),
        ("sslmode=require&sslrootcert={ca}", True, False),
        ("sslmode=verify-ca&sslrootcert={ca}", True, False),
        ("sslmode=verify-full&sslrootcert={ca}", True, True),
    ],
)
async def test_each_mode_checks_what_libpq_checks(
    postgresql_server_url: str,
    authority: Authority,
    tmp_path: Path,
    mode: str,
    checks_authority: bool,
    checks_name: bool,
) -> None:
    query = mode.format(ca=authority.ca_file)
    for context, refused in (
        (authority.server("127.0.0.1"), False),
        (authority.server("elsewhere.example"), checks_name),
        (Authority(tmp_path).server("127.0.0.1"), checks_authority),
    ):
        async with before(postgresql_server_url, context) as front:
            url = through(front, postgresql_server_url, query)
            if refused:
                with pytest.raises(Unavailable, match="SSLCertVerificationError"):
                    await connects(url)
            else:
                await connects(url)


async def test_the_system_may_be_who_vouches(
    postgresql_server_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with before(postgresql_server_url, authority.server("127.0.0.1")) as front:
        url = through(front, postgresql_server_url, "sslrootcert=system&ssl_max_protocol_version=TLSv1.2")
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            await connects(url)
        # How OpenSSL is told of another system's store.
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
        await connects(url)
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            await connects(through(front, postgresql_server_url, "sslrootcert=system", host="localhost"))


async def test_a_check_without_certificates_says_which_parameter_names_them(
    postgresql_server_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with before(postgresql_server_url, authority.server("127.0.0.1")) as front:
        with pytest.raises(Unavailable) as refused:
            await connects(through(front, postgresql_server_url, "sslmode=verify-full"))
    assert re.search(r"root certificate file .* does not exist .*; sslrootcert=FILE names one", refused.value.reason)


@pytest.mark.parametrize("root", ["{ca}", "system"])
async def test_a_certificate_whose_revocation_is_unknown_is_refused_where_revocations_are_given(
    postgresql_server_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    check = f"sslmode=verify-full&sslrootcert={root.format(ca=authority.ca_file)}"
    async with before(postgresql_server_url, authority.server("127.0.0.1")) as front:
        await connects(through(front, postgresql_server_url, check))
        # Another authority's list says nothing about this certificate.
        revocations = Authority(tmp_path).ca_file
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            await connects(through(front, postgresql_server_url, f"{check}&sslcrl={revocations}"))


async def test_migrate_takes_the_url_of_a_hoster_and_names_what_has_no_effect_in_one_line(
    postgresql_url: str, authority: Authority
) -> None:
    async with before(postgresql_url, authority.server("127.0.0.1"), "required") as front:
        url = through(front, postgresql_url, "sslmode=require&channel_binding=require&password=hunter22")
        url = make_url(url).set(drivername="postgres", database=TEMPLATE).render_as_string(hide_password=False)
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cli.main",
            "migrate",
            env=process_environment(DATABASE_URL=url),
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = (text.decode() for text in await program.communicate())
        assert program.returncode == 0, err
        assert err == "warning: these parameters of DATABASE_URL have no effect: channel_binding\n"
        assert out.endswith(" has the newest schema\n")
        assert "hunter22" not in out
        assert set(front.encrypted) == {True}


@pytest.mark.parametrize("root", ["{ca}", "system"])
async def test_a_client_shows_its_certificate(
    postgresql_server_url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: str
) -> None:
    """Its key may have a password."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    certificate, key = authority.client()
    locked = tmp_path / "locked.key"
    plain = load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"k&y")))
    check = f"sslmode=verify-full&sslrootcert={root.format(ca=authority.ca_file)}"
    async with before(postgresql_server_url, authority.server("127.0.0.1", asks_for_client=True)) as front:
        for own in (f"sslkey={key}", f"sslkey={locked}&sslpassword={quote('k&y')}"):
            await connects(through(front, postgresql_server_url, f"{check}&sslcert={certificate}&{own}"))
        with pytest.raises(Unavailable):
            await connects(through(front, postgresql_server_url, check))


async def test_the_server_hears_name_and_options(postgresql_server_url: str) -> None:
    query = "application_name=bench+1&options=-c%20search_path%3Dside%20-c%20statement_timeout%3D7s"
    database = Database(f"{postgresql_server_url}?{query}")
    async with database.read() as session:
        shown = [
            await session.scalar(text(f"SHOW {name}"))
            for name in ("application_name", "search_path", "statement_timeout")
        ]
    await database.close()
    assert shown == ["bench+1", "side", "7s"]


async def test_the_next_host_is_asked_where_one_does_not_answer(
    postgresql_server_url: str, authority: Authority
) -> None:
    """The first refuses, the second hangs up, the third is silent, the last is right but for being no standby."""
    never = asyncio.Event()

    async def be_silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()
        writer.close()

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    silent = await asyncio.start_server(be_silent, "127.0.0.1", 0)
    rude = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with rude, silent, before(postgresql_server_url, authority.server("127.0.0.1")) as front:
        ports = [free_port(), *(server.sockets[0].getsockname()[1] for server in (rude, silent)), front.port]

        def url_of(ports: list[int]) -> str:
            hosts = "&".join(f"host=127.0.0.1:{port}" for port in ports)
            return f"{postgresql_server_url}?{hosts}&sslmode=disable&connect_timeout=1"

        await connects(url_of(ports))
        assert front.encrypted == [False]
        # Each attempt waits a second for the silent one.
        ports.pop(2)
        url = url_of(ports)
        await connects(f"{url}&target_session_attrs=read-write")
        await connects(f"{url}&target_session_attrs=prefer-standby")
        with pytest.raises(Unavailable) as refused:
            await connects(f"{url}&target_session_attrs=standby")
        assert "no host is standby" in refused.value.reason
        never.set()
