"""REDIS_URL as redis-py understands it, for every client: the doorbell's, arq's loop, and arq's own check."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from arq.connections import create_pool
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.queue.redis import client_redis
from shared.queue.redis_url import check
from tests.support.servers.tls_front import Authority, socket_front, tls_front
from worker.arq_redis import queue_redis, redis_settings

SECRET = "p@ss:w/%rd"


async def of_the_doorbell(url: str) -> Redis:
    return client_redis(url)


async def of_arq_loop(url: str) -> Redis:
    return Redis(connection_pool=queue_redis(url).connection_pool)


async def of_arq_check(url: str) -> Redis:
    settings = redis_settings(url)
    settings.conn_retries = 0
    return await create_pool(settings)


CLIENTS = pytest.mark.parametrize("client_of", [of_the_doorbell, of_arq_loop, of_arq_check])
ClientOf = Callable[[str], Awaitable[Redis]]


async def name_of_database(client_of: ClientOf, url: str) -> tuple[str, str]:
    """(user, database number) as the server sees the client."""
    check(url)
    client = await client_of(url)
    async with client:
        return str(await client.execute_command("ACL", "WHOAMI"), "utf-8"), str((await client.client_info())["db"])


@pytest.fixture
async def user(redis_url: str) -> AsyncIterator[str]:
    """A user and a password that need percent-encoding."""
    async with Redis.from_url(redis_url) as client:
        await client.acl_setuser("us/er", enabled=True, passwords=[f"+{SECRET}"], commands=["+@all"], keys=["*"])
        yield f"{quote('us/er', safe='')}:{quote(SECRET, safe='')}@"
        await client.acl_deluser("us/er")


@asynccontextmanager
async def before(redis_url: str, context: ssl.SSLContext, user: str = "") -> AsyncIterator[str]:
    parts = urlsplit(redis_url)
    async with tls_front(str(parts.hostname), parts.port or 6379, context, None) as front:
        yield f"rediss://{user}127.0.0.1:{front.port}"


@CLIENTS
async def test_user_password_and_database_are_those_of_the_url(redis_url: str, user: str, client_of: ClientOf) -> None:
    place = f"redis://{user}{urlsplit(redis_url).netloc.rpartition('@')[2]}"
    assert await name_of_database(client_of, f"{place}/3") == ("us/er", "3")
    assert await name_of_database(client_of, f"{place}?db=2") == ("us/er", "2")
    assert await name_of_database(client_of, place) == ("us/er", "0")


@CLIENTS
async def test_tls_is_checked_as_the_url_says(redis_url: str, user: str, tmp_path: Path, client_of: ClientOf) -> None:
    authority = Authority(tmp_path)
    trust = f"ssl_ca_certs={authority.ca_file}"
    async with before(redis_url, authority.server("127.0.0.1"), user) as url:
        assert await name_of_database(client_of, f"{url}/1?{trust}&ssl_check_hostname=true") == ("us/er", "1")
        assert await name_of_database(client_of, f"{url}?ssl_cert_reqs=none") == ("us/er", "0")
        with pytest.raises((RedisError, OSError), match="certificate verify failed"):
            await name_of_database(client_of, url)
    async with before(redis_url, authority.server("elsewhere.example")) as url:
        assert await name_of_database(client_of, f"{url}?{trust}") == ("default", "0")
        with pytest.raises((RedisError, OSError), match="certificate verify failed"):
            await name_of_database(client_of, f"{url}?{trust}&ssl_check_hostname=true")


@CLIENTS
async def test_a_client_shows_its_certificate(redis_url: str, tmp_path: Path, client_of: ClientOf) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.client()
    async with before(redis_url, authority.server("127.0.0.1", asks_for_client=True)) as url:
        own = f"ssl_ca_certs={authority.ca_file}&ssl_certfile={certificate}&ssl_keyfile={key}"
        assert await name_of_database(client_of, f"{url}?{own}") == ("default", "0")
        with pytest.raises((RedisError, OSError)):
            await name_of_database(client_of, f"{url}?ssl_ca_certs={authority.ca_file}")


@CLIENTS
async def test_a_socket_may_be_the_way(redis_url: str, tmp_path: Path, client_of: ClientOf) -> None:
    parts = urlsplit(redis_url)
    path = tmp_path / "a b.sock"
    async with socket_front(path, str(parts.hostname), parts.port or 6379):
        assert await name_of_database(client_of, f"unix://{quote(str(path))}?db=4") == ("default", "4")


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://:p%40ss@h:6379/0",
        "rediss://u:p@[::1]:6380/15?ssl_cert_reqs=optional&health_check_interval=30&protocol=3&max_connections=20",
        "rediss://h?ssl_check_hostname=true",
        "rediss://h?ssl_check_hostname=false&ssl_cert_reqs=none",
        "unix:///run/valkey.sock?db=1&password=p%26",
        "redis://h/0/?socket_timeout=0.5&socket_keepalive=no",
    ],
)
def test_right_urls_pass(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://h", "must start with redis://, rediss:// or unix://"),
        ("redis:h", "must start with redis://, rediss:// or unix://"),
        ("redis://:Geheim/x@h:6379", "has a wrong host or port: write special characters of the password in percent"),
        ("redis://h:70000", "has a wrong host or port"),
        ("redis://:Geheim@h/main", "must have the number of a database as its path"),
        ("redis://h?db=main", "db must be a number"),
        ("redis://h?socket_timeout=soon", "socket_timeout must be a number"),
        ("redis://h?protocol=4", "protocol must be one of 2, 3"),
        ("redis://h?decode_responses=True", "has a parameter that is not supported: decode_responses"),
        ("redis://h?pass.word=Geheim", "has a parameter that is not supported"),
        ("redis://h?ssl_cert_reqs=none", "ssl_cert_reqs needs rediss://"),
        ("unix:///s?socket_keepalive=1", "has a parameter that is not supported: socket_keepalive"),
        ("rediss://h?ssl_cert_reqs=CERT_NONE", "ssl_cert_reqs must be one of none, optional, required"),
        ("rediss://h?ssl_cert_reqs=none&ssl_check_hostname=1", "ssl_check_hostname needs ssl_cert_reqs=required"),
        ("rediss://h?ssl_ca_certs=/no/ca.pem", "ssl_ca_certs is no file with certificates: No such file or directory"),
        ("rediss://h?ssl_certfile=/no/c.pem", "ssl_certfile and ssl_keyfile need each other"),
        ("rediss://h?ssl_certfile=/no/c&ssl_keyfile=/no/k", "ssl_certfile with ssl_keyfile is no certificate with its"),
    ],
)
def test_a_wrong_url_is_refused_by_name_and_not_repeated(url: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        check(url)
    assert str(caught.value).startswith(message)
    assert "Geheim" not in str(caught.value)
