"""Where the API listens, and that it does not start without keys where others reach it."""

import pytest
from pydantic import SecretStr

from api.access.bound import bound_to, is_elsewhere
from api.main import create_app
from shared.access.api_key import Hasher
from shared.db.access.keys import bootstrap
from shared.db.connection.database import Database
from shared.network.bound import NoKeys
from shared.providers.key_ring import KeyRing
from tests.api.access.keys import KeyMaker, bearer
from tests.api.conftest import SIMULATOR
from tests.api.documents import problem
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api

UVICORN = ["/venv/bin/uvicorn", "--factory", "api.main:create_app"]
MODULE = ["/venv/lib/python3.11/site-packages/uvicorn/__main__.py", "--factory", "api.main:create_app"]


@pytest.mark.parametrize(
    ("published_on", "more", "environment", "to", "only_here"),
    [
        (None, [], {}, "127.0.0.1", True),
        (None, ["--host", "127.0.0.1"], {}, "127.0.0.1", True),
        (None, ["--host", "localhost"], {}, "localhost", True),
        (None, ["--host=::1"], {}, "::1", True),
        (None, ["--host", "0.0.0.0"], {}, "0.0.0.0", False),
        (None, ["--host", "::"], {}, "::", False),
        (None, ["--host", ""], {}, "every address", False),
        (None, ["--host", "10.0.0.7"], {}, "10.0.0.7", False),
        (None, ["--host", "bench.internal"], {}, "bench.internal", False),
        (None, ["--host", "0.0.0.0", "--host", "127.0.0.1"], {}, "127.0.0.1", True),
        (None, [], {"UVICORN_HOST": "0.0.0.0"}, "0.0.0.0", False),
        (None, ["--host", "127.0.0.1"], {"UVICORN_HOST": "0.0.0.0"}, "127.0.0.1", True),
        (None, ["--uds", "/run/api.sock"], {}, "the Unix socket /run/api.sock", False),
        (None, ["--fd=3"], {}, "the file descriptor 3", False),
        (None, [], {"UVICORN_UDS": "/run/api.sock"}, "the Unix socket /run/api.sock", False),
        (None, [], {"UVICORN_FD": "3"}, "the file descriptor 3", False),
        ("127.0.0.1", ["--host", "0.0.0.0"], {}, "127.0.0.1 (PUBLISHED_ON)", True),
        ("[::1]", ["--host", "0.0.0.0"], {}, "[::1] (PUBLISHED_ON)", True),
        ("0.0.0.0", ["--host", "127.0.0.1"], {}, "0.0.0.0 (PUBLISHED_ON)", False),
        ("", ["--host", "0.0.0.0"], {}, "0.0.0.0", False),
    ],
)
@pytest.mark.parametrize("program", [UVICORN, MODULE])
def test_the_address_is_that_of_published_on_or_of_uvicorn(
    program: list[str], published_on: str | None, more: list[str], environment: dict[str, str], to: str, only_here: bool
) -> None:
    bound = bound_to(published_on, [*program, *more], environment)
    assert (bound.to, bound.only_here) == (to, only_here)
    if only_here:
        bound.require_keys()
    else:
        with pytest.raises(NoKeys, match="llmbench keys bootstrap"):
            bound.require_keys()


def test_of_other_programs_nothing_is_known() -> None:
    assert bound_to(None, ["/venv/bin/pytest", "--host", "0.0.0.0"], {"UVICORN_HOST": "0.0.0.0"}).only_here
    assert bound_to(None, [], {}).only_here


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("localhost", False),
        ("/run/api.sock", False),
        ("10.0.0.7", True),
        ("::ffff:10.0.0.7", True),
        ("fe80::1%eth0", True),
    ],
)
def test_a_request_comes_from_elsewhere_if_it_came_in_by_another_address(address: str, elsewhere: bool) -> None:
    assert is_elsewhere({"type": "http", "server": (address, 8000)}) is elsewhere
    assert not is_elsewhere({"type": "http"})


@pytest.mark.parametrize(("published_on", "starts"), [("127.0.0.1", True), ("0.0.0.0", False)])
async def test_without_keys_it_starts_only_where_nobody_else_reaches_it(
    sqlite_url: str, published_on: str, starts: bool
) -> None:
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", None, published_on=published_on)
    if starts:
        async with running_api(settings, KeyRing({})) as client:
            assert (await client.get("/benchmarks")).status_code == 200
        return
    with pytest.raises(NoKeys, match=r"bound to 0\.0\.0\.0 \(PUBLISHED_ON\)"):
        async with running_api(settings, KeyRing({})):
            pass
    database = Database(sqlite_url)
    await KeyMaker(database).make("admin")
    await database.close()
    async with running_api(settings, KeyRing({})) as client:
        assert (await client.get("/benchmarks")).status_code == 401


async def test_at_the_start_it_warns_of_keys_whose_secret_key_is_gone(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are answered as unknown, word for word, so nothing else says what is wrong."""
    database = Database(sqlite_url)
    row, text = await bootstrap(database, Hasher(["p" * 32]), "first")
    await database.close()
    for secret_key, status in ((SecretStr("p" * 32), 200), (None, 401)):
        redis_url = f"redis://127.0.0.1:{free_port()}/0"
        settings = make_settings(sqlite_url, redis_url, SIMULATOR, secret_key=secret_key)
        async with running_api(settings, KeyRing({})) as client:
            assert (await client.get("/whoami", headers=bearer(text))).status_code == status
        printed = "".join(capsys.readouterr())
        assert ("keys_of_another_secret_key" in printed) == (status == 401)
        assert row.id not in printed


async def test_the_server_logs_the_reason_and_no_traceback(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", None, published_on="0.0.0.0")
    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    with pytest.raises(NoKeys):
        await create_app(settings, KeyRing({}))({"type": "lifespan", "state": {}}, receive, send)  # type: ignore[arg-type]
    (message,) = sent
    assert message["type"] == "lifespan.startup.failed"
    assert str(message["message"]).startswith("the API is bound to 0.0.0.0 (PUBLISHED_ON), so others can reach it")
    assert "Traceback" not in str(message["message"])


@pytest.mark.parametrize("published_on", [None, "127.0.0.1"])
async def test_under_open_access_an_address_of_others_is_not_answered(
    sqlite_url: str, published_on: str | None
) -> None:
    """The server may be one whose options nobody understands. In a container, PUBLISHED_ON allows it."""
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR, published_on=published_on)
    async with running_api(settings, KeyRing({})) as client:
        answer = await client.get("http://10.0.0.7/benchmarks")
        if published_on is None:
            assert problem(answer, 403)["code"] == "no_keys"
            page = await client.get("http://10.0.0.7/ui/benchmarks")
            assert (page.status_code, "open the page again and log in with it" in page.text) == (403, True)
            assert (await client.get("http://10.0.0.7/health")).status_code == 200
        else:
            assert answer.status_code == 200
        assert (await client.get("http://127.0.0.1/benchmarks")).status_code == 200
