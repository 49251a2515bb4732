"""What the middleware does with a request: before its body, for which owner, and what it says."""

from typing import Any

import httpx2
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.access.caller import CALLER, caller_of
from api.access.middleware import AccessMiddleware
from api.access.needs import Need
from api.access.requirements import Requirements
from shared.access.api_key import ApiKeyText, make
from shared.access.caller import LOCAL, NOBODY, Caller
from shared.errors import Unavailable
from shared.providers.key_ring import KeyRing
from tests.api.access.keys import KeyMaker, bearer
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE, problem
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api
from tests.support.waiting import until


async def test_neither_a_401_nor_a_403_reads_the_body(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    for headers, status in (({}, 401), (bearer("lbk_short"), 401), (bearer(await maker.make("read")), 403)):
        given = {**headers, "content-type": "application/json"}
        app: Any = keyed._transport.app  # type: ignore[attr-defined]
        assert await _status_without_a_body(app, "/benchmarks", given) == status


async def _status_without_a_body(app: Any, path: str, headers: dict[str, str]) -> int:
    """The status of a POST whose body never comes."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers.items())],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    statuses = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    (status,) = statuses
    assert isinstance(status, int)
    return status


async def test_whoami_tells_owner_scope_and_key(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    key = await maker.make("read", "acme")
    assert (await keyed.get("/whoami", headers=bearer(key))).json() == {
        "owner": "acme",
        "scope": "read",
        "via": "key",
        "key_id": key.id,
        "key_name": "read of acme",
        "expires_at": None,
    }


async def test_without_keys_everyone_here_is_the_local_admin(sqlite_api: httpx2.AsyncClient) -> None:
    for headers in ({}, bearer("lbk_of_another_server"), {"authorization": "Basic eDp5"}):
        told = (await sqlite_api.get("/whoami", headers=headers)).json()
        assert (told["owner"], told["scope"], told["via"], told["key_id"]) == ("default", "admin", "local", None)


async def test_the_first_key_ends_open_access_at_once(sqlite_api: httpx2.AsyncClient) -> None:
    found = problem(await sqlite_api.post("/keys", json={"name": "me", "scope": "run"}), 409)
    assert "the first key needs the scope admin" in found["detail"]
    made = await sqlite_api.post("/keys", json={"name": "me", "scope": "admin"})
    assert made.status_code == 201
    document = made.json()
    assert "Open access has ended" in document["notice"]
    assert made.headers["cache-control"] == "no-store"
    assert problem(await sqlite_api.get("/benchmarks"), 401)["code"] == "authentication_required"
    headers = bearer(document["key"])
    second = (await sqlite_api.post("/keys", json={"name": "ci", "owner": "acme"}, headers=headers)).json()
    assert (second["owner"], second["scope"], second["notice"]) == ("acme", "run", None)
    assert second["created_by"] == document["id"]


async def test_keys_are_listed_without_their_secrets_and_revoked(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    admin, other = await maker.make("admin"), await maker.make("run", "acme")
    headers = bearer(admin)
    own = (await keyed.get("/keys", headers=headers)).json()["items"]
    assert {item["owner"] for item in own} == {"default"}
    everything = await keyed.get("/keys?owner=*&limit=1", headers=headers)
    first = everything.json()
    assert [item["id"] for item in first["items"]] == [other.id]
    cursor = first["next_cursor"]
    rest = (await keyed.get("/keys", params={"owner": "*", "cursor": cursor}, headers=headers)).json()["items"]
    assert {item["owner"] for item in rest} == {"default"}
    assert other.secret not in everything.text
    assert (await keyed.delete(f"/keys/{other.id}", headers=headers)).status_code == 204
    assert (await keyed.get("/whoami", headers=bearer(other))).status_code == 401
    (revoked,) = (await keyed.get("/keys?owner=acme", headers=headers)).json()["items"]
    assert (revoked["state"], revoked["revoked_at"] is not None) == ("revoked", True)
    problem(await keyed.delete("/keys/zzzzzzzz", headers=headers), 404)
    problem(await keyed.delete("/keys/NO-ID", headers=headers), 422)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "owner": "*"},
        {"name": "x", "owner": "Acme"},
        {"name": "x", "owner": "acme\n"},
        {"name": "x", "owner": "a" * 64},
        {"name": "x", "scope": "root"},
        {"name": "x", "expires_at": "2020-01-01"},
        {"name": "x", "requests_per_minute": 0},
        {"name": "x", "more": 1},
    ],
)
async def test_a_wrong_key_is_not_made(sqlite_api: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    assert problem(await sqlite_api.post("/keys", json=body), 422)["errors"]
    assert (await sqlite_api.get("/keys")).json()["items"] == []


async def test_only_admins_ask_for_an_owner(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    admin, run = bearer(await maker.make("admin")), bearer(await maker.make("run"))
    for asked in ("acme", "*", "default"):
        assert (await keyed.get(f"/benchmarks?owner={asked}", headers=admin)).status_code == 200
        assert problem(await keyed.get(f"/benchmarks?owner={asked}", headers=run), 403)["code"] == "missing_scope"
    for wrong in ("", "Acme", "a%20b", "**", "acme&owner=default"):
        found = problem(await keyed.get(f"/benchmarks?owner={wrong}", headers=admin), 422)
        assert found["errors"][0]["field"] == "owner"
    assert (await keyed.get("/whoami?owner=acme", headers=admin)).json()["owner"] == "acme"
    # Another parameter of a similar name is the route's own.
    assert problem(await keyed.get("/benchmarks?not_owner=acme", headers=admin), 422)


async def test_a_change_never_crosses_owners_but_where_it_says_so(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    admin = bearer(await maker.make("admin"))
    found = problem(await keyed.post("/benchmarks?owner=acme", json=EXAMPLE, headers=admin), 422)
    assert "belongs to the owner of the key" in found["detail"]
    problem(await keyed.delete("/benchmarks/404?owner=acme", headers=admin), 404)
    problem(await keyed.post("/benchmarks/404/cancel?owner=*", headers=admin), 404)


async def test_the_last_use_of_a_key_is_noted(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    admin, key = await maker.make("admin"), await maker.make("read", "acme")
    assert (await keyed.get("/benchmarks", headers=bearer(key))).status_code == 200

    async def used() -> Any:
        (item,) = (await keyed.get("/keys?owner=acme", headers=bearer(admin))).json()["items"]
        return item["last_used_at"]

    assert await until(used)


@pytest.mark.parametrize("path", ["/", "/ui", "/docs", "/ui/benchmarks", "/ui/benchmarks/7?tab=a&b=c"])
async def test_a_browser_is_led_to_the_login_page(keyed: httpx2.AsyncClient, path: str) -> None:
    answer = await keyed.get(path, headers={"accept": "text/html,application/xhtml+xml"})
    assert answer.status_code == 303
    where = httpx2.URL(answer.headers["location"])
    assert (where.path, where.params["next"]) == ("/ui/login", path)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_part_of_a_page_leads_the_whole_page_there(keyed: httpx2.AsyncClient) -> None:
    answer = await keyed.get("/ui/benchmarks/7", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/ui/login")
    answer = await keyed.post("/ui/benchmarks", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/login")


async def test_the_page_of_the_api_forgets_a_key(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    """By default, Swagger's page keeps what somebody gives to "Authorize" in the storage of the browser."""
    page = await keyed.get("/docs", headers=bearer(await maker.make("read")))
    assert '"persistAuthorization": false' in page.text
    assert (await keyed.get("/docs")).status_code == 401


async def test_a_browser_that_reads_the_api_gets_a_problem(keyed: httpx2.AsyncClient) -> None:
    problem(await keyed.get("/benchmarks", headers={"accept": "text/html"}), 401)


async def test_the_metrics_have_a_switch_of_their_own(sqlite_url: str, maker: KeyMaker) -> None:
    key = await maker.make("read")
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR, metrics_access="key")
    async with running_api(settings, KeyRing({})) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers=bearer(key))).status_code == 200


async def test_two_authorization_headers_are_refused(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    text = (await maker.make("read")).text
    headers = httpx2.Headers([("authorization", f"Bearer {text}"), ("authorization", f"Bearer {text}")])
    found = problem(await keyed.get("/benchmarks", headers=headers), 401)
    assert found["code"] == "invalid_key"
    assert found["detail"] == "the API key is in one of several Authorization headers"
    assert (await keyed.get("/benchmarks", headers={"authorization": f"bEARER  {text} "})).status_code == 200


class _Away:
    """Keys whose database does not answer. What is asked for stands in `asked`."""

    def __init__(self, are_keys: bool | None) -> None:
        self._are_keys = are_keys
        self.asked: list[str] = []

    async def are_keys(self) -> bool:
        if self._are_keys is None:
            raise Unavailable("the database does not answer")
        return self._are_keys

    async def by_secret(self, key: ApiKeyText) -> None:
        self.asked.append(key.id)
        raise Unavailable("the database does not answer")


@pytest.mark.parametrize("are_keys", [None, True])
async def test_without_the_database_nobody_is_let_in(are_keys: bool | None) -> None:
    """Not even as under open access: there may be keys by now. A wrong checksum is refused all the same."""
    keys: Any = _Away(are_keys)
    unused: Any = None
    app = AccessMiddleware(unused, requirements=Requirements([], {}), keys=keys, last_uses=unused, sessions=unused)
    key = make()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:
        answer = await client.get("/models", headers=bearer(key))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert keys.asked == ([key.id] if are_keys else [])
        if are_keys:
            wrong = key.text[:-1] + ("0" if key.text[-1] != "0" else "1")
            assert (await client.get("/models", headers=bearer(wrong))).status_code == 401
            assert keys.asked == [key.id]


async def test_a_route_checks_the_caller_once_more() -> None:
    def request(caller: Caller | None) -> Request:
        return Request({"type": "http", "state": {} if caller is None else {CALLER: caller}})

    for caller in (None, Caller("default", "run")):
        with pytest.raises(HTTPException) as refused:
            await Need("admin")(request(caller))
        assert refused.value.status_code == 403
    await Need("admin")(request(LOCAL))
    await Need(None)(request(None))
    assert caller_of(request(None)) == NOBODY
