"""Every route of the OpenAPI document and every page, with every kind of key: 401, 403 or the answer itself."""

import httpx2
import pytest

from api.main import create_app
from shared.access.api_key import ApiKeyText, make
from shared.access.scopes import SCOPES, includes
from shared.providers.key_ring import KeyRing
from tests.api.access.keys import KeyMaker, bearer
from tests.api.access.routes import ROUTES, requests
from tests.api.documents import problem
from tests.support.service import make_settings

CLOSED = [(method, path) for method, path, scope in requests() if scope is not None]
OPEN = [(method, path) for method, path, scope in requests() if scope is None]


def test_every_route_has_an_entry_and_declares_that_scope() -> None:
    app = create_app(make_settings("sqlite:///never-opened.db", "redis://127.0.0.1:1/0", None), KeyRing({}))
    declared = {
        f"{method} {route.path}": app.state.requirements.of({"type": "http", "method": method, "path": path}).scope
        for route in app.state.routes
        for method in (route.methods or set()) - {"HEAD"}
        for path in [next(path for verb, path, _ in requests() if verb == method and _is_of(route, path))]
    }
    assert declared == ROUTES
    documented = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    assert documented <= set(ROUTES)


def _is_of(route: object, path: str) -> bool:
    return route.path_regex.match(path) is not None  # type: ignore[attr-defined,no-any-return]


def refused(answer: httpx2.Response, status: int, code: str) -> bool:
    """Whether it is exactly this refusal: under /ui a page, else a problem document."""
    if answer.status_code != status:
        return False
    if not answer.request.url.path.startswith("/ui/"):
        assert problem(answer, status)["code"] == code
    return answer.headers["www-authenticate"].startswith('Bearer realm="llmbench"')


async def test_without_a_usable_key_every_route_answers_401(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    known = await maker.make("admin")
    wrong_checksum = known.text[:-1] + ("0" if known.text[-1] != "0" else "1")
    cases: list[tuple[str, dict[str, str], str]] = [
        ("no key", {}, "authentication_required"),
        ("another scheme", {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}, "authentication_required"),
        ("malformed", bearer("lbk_short"), "invalid_key"),
        ("no text", {"authorization": "Bearer"}, "invalid_key"),
        ("wrong checksum", bearer(wrong_checksum), "invalid_key"),
        ("unknown id", bearer(ApiKeyText(make().id, known.secret)), "invalid_key"),
        ("wrong secret", bearer(ApiKeyText(known.id, make().secret)), "invalid_key"),
        ("revoked", bearer(await maker.revoked()), "invalid_key"),
        ("expired", bearer(await maker.expired()), "invalid_key"),
        ("cookie of nobody", {"cookie": "llmbench_session=" + "a" * 43}, "authentication_required"),
    ]
    wrong = []
    for name, headers, code in cases:
        for method, path in CLOSED:
            answer = await keyed.request(method, path, headers=headers)
            if not refused(answer, 401, code):
                wrong.append(f"{name}: {method} {path}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("scope", SCOPES)
async def test_each_scope_reaches_what_it_includes_and_nothing_more(
    keyed: httpx2.AsyncClient, maker: KeyMaker, scope: str
) -> None:
    headers = bearer(await maker.make(scope))  # type: ignore[arg-type]
    wrong = []
    for method, path, needed in requests():
        answer = await keyed.request(method, path, headers=headers)
        if needed is None or includes(scope, needed):  # type: ignore[arg-type]
            is_right = answer.status_code not in (401, 403)
        else:
            is_right = (
                refused(answer, 403, "missing_scope") and f'scope="{needed}"' in answer.headers["www-authenticate"]
            )
        if not is_right:
            wrong.append(f"{method} {path}: {answer.status_code}")
    assert wrong == []


async def test_what_is_open_needs_no_key(keyed: httpx2.AsyncClient) -> None:
    assert OPEN
    for method, path in OPEN:
        assert (await keyed.request(method, path)).status_code not in (401, 403), path


@pytest.mark.parametrize("path", ["/nothing", "/ui/nothing", "/benchmarks/1/nothing", "/health/nothing"])
async def test_a_path_of_no_route_needs_a_key_too(keyed: httpx2.AsyncClient, maker: KeyMaker, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert (await keyed.request(method, path)).status_code == 401
    assert (await keyed.get(path, headers=bearer(await maker.make("read")))).status_code == 404


async def test_head_needs_what_get_needs(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    for path in ("/benchmarks", "/keys", "/ui/benchmarks", "/docs", "/openapi.json"):
        assert (await keyed.head(path)).status_code == 401
    key = await maker.make("read")
    assert (await keyed.head("/benchmarks", headers=bearer(key))).status_code == 200
    assert (await keyed.head("/keys", headers=bearer(key))).status_code == 403


async def test_a_revoked_key_is_refused_at_once(keyed: httpx2.AsyncClient, maker: KeyMaker) -> None:
    key = await maker.make("admin")
    assert (await keyed.get("/benchmarks", headers=bearer(key))).status_code == 200
    await maker.revoke(key)
    answer = problem(await keyed.get("/benchmarks", headers=bearer(key)), 401)
    assert (answer["code"], answer["detail"]) == ("invalid_key", "the API key was revoked")
