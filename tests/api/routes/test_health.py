"""`/health` says that the process lives, `/ready` names the part that is missing."""

import httpx2
import pytest
from sqlalchemy import make_url, text

from shared.db.connection.database import Database
from shared.db.connection.engine import make_engine
from shared.providers.key_ring import KeyRing
from shared.version import __version__
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE, problem, submit
from tests.conftest import TEMPLATE
from tests.support.programs.ports import free_port
from tests.support.service import Service, make_settings, running_api
from tests.support.waiting import quickest, until


async def test_a_running_service_is_ready(service: Service) -> None:
    response = await until(lambda: ready(service.client))
    assert response.json() == {
        "status": "ready",
        "database": {"ok": True, "detail": "answers, schema is current"},
        "queue": {"ok": True, "detail": "answers"},
        "worker": {"ok": True, "detail": "1 live worker"},
        "providers_file": {"ok": True, "detail": "PROVIDERS_FILE is not set"},
    }


async def ready(client: httpx2.AsyncClient) -> httpx2.Response | None:
    """A busy machine may need more than one attempt: each part has little time to answer."""
    response = await client.get("/ready")
    return response if response.status_code == 200 else None


async def not_ready(client: httpx2.AsyncClient) -> dict[str, str]:
    """Missing part → why; and the process itself is healthy nevertheless."""
    response = await quickest(5, lambda: client.get("/ready"))
    assert response.status_code == 503
    document = response.json()
    assert document.pop("status") == "not_ready"
    assert (await client.get("/health")).json() == {"status": "ok", "version": __version__}
    return {name: check["detail"] for name, check in document.items() if not check["ok"]}


async def test_without_a_worker_it_is_the_worker_that_is_missing(api: httpx2.AsyncClient) -> None:
    missing = await not_ready(api)
    assert list(missing) == ["worker"]
    assert missing["worker"].startswith("no worker has reported lately: ")


async def test_without_redis_it_is_the_queue_that_is_missing(service: Service) -> None:
    settings = service.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}/0"})
    async with running_api(settings, KeyRing({})) as client:
        assert await not_ready(client) == {"queue": "Redis does not answer: ConnectionError"}


@pytest.mark.own_database
async def test_an_old_schema_is_a_missing_database(api: httpx2.AsyncClient, database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    missing = await not_ready(api)
    assert missing["database"].startswith("the database schema is at revision 0000, this version needs ")
    assert missing["worker"] == "unknown: no database"


async def test_a_database_that_is_gone_is_a_missing_database(
    postgresql_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dropped under the API's connections, so that it has to connect again and cannot."""
    admin = make_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE doomed TEMPLATE {TEMPLATE}"))
        doomed = make_url(postgresql_url).set(database="doomed").render_as_string(hide_password=False)
        async with running_api(make_settings(doomed, redis_url, SIMULATOR), KeyRing({})) as client:
            assert list(await not_ready(client)) == ["worker"]
            await connection.execute(text("DROP DATABASE doomed WITH (FORCE)"))
            missing = await not_ready(client)
            # Everybody may ask, so that the name stands in the log alone.
            assert missing["database"] == "the database does not answer: InvalidCatalogNameError (3D000)"
            assert r"database \"doomed\" does not exist" in capsys.readouterr().err
            assert missing["worker"] == "unknown: no database"
            for method, path in (("GET", "/benchmarks"), ("GET", "/benchmarks/1"), ("POST", "/benchmarks")):
                found = problem(await client.request(method, path, json=EXAMPLE), 503)
                assert (found["code"], found["detail"]) == ("unavailable", missing["database"])
    await admin.dispose()


async def test_what_nobody_expected_is_a_500_whose_id_stands_in_the_log(
    api: httpx2.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that no version of this service wrote. The problem itself says nothing of what broke."""
    await submit(api)
    async with database.write() as session:
        await session.execute(text("UPDATE benchmarks SET spec = '{}'"))
    found = problem(await api.get("/benchmarks/1", headers={"x-request-id": "find-me"}), 500)
    assert (found["code"], found["request_id"]) == ("internal_error", "find-me")
    assert "RunSpec" not in found["detail"]
    (line,) = [record.msg for record in caplog.records if record.name == "api.http.errors"]
    assert isinstance(line, dict)
    assert (line["request_id"], line["path"], line["level"]) == ("find-me", "/benchmarks/1", "error")
    assert "validation errors for RunSpec" in line["exception"]
