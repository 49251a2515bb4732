"""What belongs to one owner does not exist for another: on every route, word for word as if it were missing."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from shared.access.api_key import ApiKeyText
from shared.webhooks.secret_box import new_key
from tests.api.access.keys import KeyMaker, bearer
from tests.api.access.routes import ROUTES
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import EXAMPLE
from tests.shared.db.rows import Tables, make_record
from tests.support.databases.many_rows import a_summary
from tests.support.programs.ports import free_port
from tests.support.servers.receiver import LOOPBACK
from tests.support.service import make_settings, running_api

# In every text of the first owner, and nowhere else.
MARK = "marzipan"
MISSING = "987654"
FORM = {"content-type": "application/x-www-form-urlencoded"}
DATASET: dict[str, Any] = {
    "content": f'{{"prompt": "{MARK}"}}\n'.encode(),
    "headers": {"content-type": "application/jsonl"},
}


def body_of(route: str) -> dict[str, Any]:
    """What a request needs, so that the route looks for the row."""
    if route == "PATCH /webhooks/{webhook_id}":
        return {"json": {"description": "mine now"}}
    return {"content": "confirmed=yes", "headers": FORM} if route.startswith("POST /ui/") else {}


PLACES = {
    "figure": "ttft-ecdf",
    "figure_id": "ttft-ecdf",
    "result_id": "1",
    "delivery_id": "1",
    "name": "marzipan-main",
}
# Routes without a row in their path that take rows in their query.
QUERIES = (
    "/compare?ids={0},{1}",
    "/compare/export?ids={0},{1}",
    "/ui/compare?ids={0},{1}",
    "/ui/compare/ttft-ecdf.csv?ids={0},{1}",
    "/ui/report?ids={0},{1}",
    "/ui/benchmarks/compare?ids={0}&ids={1}",
    "/ui/benchmarks/live?id={0}&id={1}",
    "/ui/benchmarks/new?from={0}",
)


class World:
    """Two owners; all rows belong to the first."""

    def __init__(self, client: httpx2.AsyncClient, first: ApiKeyText, second: ApiKeyText, admin: ApiKeyText) -> None:
        self.client = client
        self.first, self.second, self.admin = bearer(first), bearer(second), bearer(admin)

    async def ask(self, who: dict[str, str], method: str, path: str, **more: Any) -> httpx2.Response:
        return await self.client.request(method, path, **{**more, "headers": {**who, **more.get("headers", {})}})


@pytest.fixture
async def world(sqlite_url: str, maker: KeyMaker) -> AsyncIterator[World]:
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR, **options)
    first, second = await maker.make("run", "first"), await maker.make("run", "second")
    async with running_api(settings, KEYS) as client:
        made = World(client, first, second, await maker.make("admin", "second"))
        tables = Tables(maker.database)
        for _ in range(2):
            spec = {**EXAMPLE, "name": MARK, "prompts": [MARK, "two"], "metadata": {"of": MARK}}
            answer = await made.ask(
                made.first, "POST", "/benchmarks", json={**spec, "webhook_url": f"http://127.0.0.1:9/{MARK}"}
            )
            assert answer.status_code == 202, answer.text
            lease = await tables.claimed()
            await tables.results.record(lease, [make_record(0, response=MARK), make_record(1)])
            await tables.leases.finish(lease, "completed", summary=a_summary(), error=None)
        for method, path, more in (
            ("PUT", f"/baselines/{PLACES['name']}", {"json": {"benchmark_id": 1}}),
            ("POST", f"/datasets?name={MARK}&format=jsonl", DATASET),
            ("POST", "/webhooks", {"json": {"url": f"http://127.0.0.1:9/{MARK}", "description": MARK}}),
        ):
            answer = await made.ask(made.first, method, path, **more)
            assert answer.is_success, answer.text
        registered = answer.json()["id"]
        assert (await made.ask(made.first, "POST", f"/webhooks/{registered}/test")).is_success
        PLACES["webhook_id"] = str(registered)
        yield made


def filled(route: str, missing: bool) -> str:
    """The path with the rows of the first owner, or with such as do not exist."""

    def one(place: re.Match[str]) -> str:
        name = place[1]
        if name in ("figure", "figure_id"):
            return PLACES[name]
        if name == "name":
            return "nothing-of-this-name" if missing else PLACES[name]
        return MISSING if missing else PLACES.get(name, "1")

    return re.sub(r"\{(\w+)(?::\w+)?\}", one, route.partition(" ")[2])


def without_ids(answer: httpx2.Response, path: str) -> str:
    """The text without what differs between two requests for two rows."""
    text = answer.text.replace(path, "PATH").replace(answer.headers["x-request-id"], "REQUEST")
    text = text.replace("nothing-of-this-name", "NAME").replace(PLACES["name"], "NAME")
    return re.sub(rf"\b(?:\d|{MISSING})\b", "ID", text)


ROWS = [
    route
    for route, scope in ROUTES.items()
    if scope in ("read", "run")
    and "{" in route
    and not route.startswith("PUT")
    # They name no row in their path.
    and "/assets/" not in route
    and "/ui/compare/" not in route
]


async def test_the_rows_of_another_owner_are_answered_like_rows_that_do_not_exist(world: World) -> None:
    wrong = []
    for headers in (world.second, world.admin):
        for route in ROWS:
            method, answers = route.partition(" ")[0], []
            for missing in (False, True):
                path = filled(route, missing)
                answer = await world.ask(headers, method, path, **body_of(route))
                answers.append((answer.status_code, without_ids(answer, path)))
            if answers[0] != answers[1] or answers[0][0] != 404 or MARK in answers[0][1].replace("marzipan-main", ""):
                wrong.append(f"{route}: {[(status, text[-200:]) for status, text in answers]}")
    assert not wrong, "\n".join(wrong)


async def test_their_own_owner_and_an_admin_who_asks_reads_all_of_them(world: World) -> None:
    """So the test above asks for rows that are there."""
    reading = [route for route in ROWS if route.startswith("GET")]
    assert len(reading) > 20
    wrong = []
    for route in reading:
        path = filled(route, False)
        answer = await world.ask(world.first, "GET", path)
        if answer.status_code != 200:
            wrong.append(f"{route}: {answer.status_code}")
        if not path.startswith("/ui"):
            # Names of baselines are each owner's own, so "all" names none.
            for owner in ("first",) if path.startswith("/baselines") else ("first", "*"):
                answer = await world.ask(world.admin, "GET", f"{path}?owner={owner}")
                if answer.status_code != 200:
                    wrong.append(f"{route} of {owner}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


async def test_no_list_shows_anything_of_another_owner(world: World) -> None:
    lists = [route.partition(" ")[2] for route in ROUTES if route.startswith("GET") and "{" not in route]
    shown = []
    for path in lists:
        for headers in (world.second, world.admin):
            answer = await world.ask(headers, "GET", path)
            if MARK in answer.text:
                shown.append(path)
    assert shown == []
    own = [path for path in lists if MARK in (await world.ask(world.first, "GET", path)).text]
    assert {"/benchmarks", "/baselines", "/datasets", "/webhooks", "/ui/benchmarks", "/ui/webhooks"} <= set(own)


@pytest.mark.parametrize("path", QUERIES)
async def test_no_query_reaches_the_rows_of_another_owner(world: World, path: str) -> None:
    foreign, missing = path.format(1, 2), path.format(MISSING, int(MISSING) + 1)
    for headers in (world.second, world.admin):
        first, second = await world.ask(headers, "GET", foreign), await world.ask(headers, "GET", missing)
        assert first.status_code == second.status_code
        assert MARK not in first.text
    assert (await world.ask(world.first, "GET", foreign)).status_code in (200, 303), foreign


async def test_no_history_has_runs_of_another_owner(world: World) -> None:
    """Prompt sets are hashes of prompts, so another owner may know one."""
    (found,) = (await world.ask(world.first, "GET", "/history/sets")).json()["items"]
    run = (await world.ask(world.first, "GET", "/benchmarks/1?include=none")).json()
    where = {"prompt_set": found["prompt_set"]}
    series = {**where, "model": run["model"], "provider": run["provider"]}
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("/history", series, "points"),
        ("/leaderboard", where, "rows"),
    ]
    for path, params, items in asked:
        own = (await world.ask(world.first, "GET", path, params=params)).json()
        assert own[items], (path, own)
        for who in (world.second, world.admin):
            foreign = await world.ask(who, "GET", path, params=params)
            assert foreign.status_code == 404 or foreign.json()[items] == [], path
    for path in ("/ui/history", "/ui/leaderboard"):
        assert MARK not in (await world.ask(world.second, "GET", path, params=series)).text
    for number in (1, int(MISSING)):
        answer = await world.ask(world.second, "GET", "/leaderboard", params={**where, "like": number})
        assert answer.status_code in (404, 422), answer.text


async def test_nothing_of_another_owner_is_taken_into_a_new_benchmark(world: World) -> None:
    idempotent = {"idempotency-key": "the-same"}
    spec = {**EXAMPLE, "name": "x"}
    (one, two) = [
        await world.ask(headers, "POST", "/benchmarks", json=spec, headers=idempotent)
        for headers in (world.first, world.second)
    ]
    assert (one.status_code, two.status_code) == (202, 202)
    assert one.json()["id"] != two.json()["id"]
    for path in ("/benchmarks", "/benchmarks/estimate"):
        for dataset in (1, int(MISSING)):
            body = {"name": "x", "model": "sim", "workload": {"kind": "dataset", "dataset": dataset}}
            answer = await world.ask(world.second, "POST", path, json=body)
            assert answer.status_code in (404, 422)
            assert MARK not in answer.text
    for benchmark in (1, int(MISSING)):
        answer = await world.ask(world.second, "PUT", "/baselines/mine", json={"benchmark_id": benchmark})
        assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no benchmark {benchmark}")


async def test_both_owners_may_use_the_same_names(world: World) -> None:
    name = PLACES["name"]
    answer = await world.ask(world.second, "POST", "/datasets?name=x&format=jsonl", **DATASET)
    assert answer.status_code == 201
    assert (await world.ask(world.second, "GET", f"/baselines/{name}")).status_code == 404
    assert (await world.ask(world.second, "DELETE", f"/baselines/{name}")).status_code == 404
    assert (await world.ask(world.first, "GET", f"/baselines/{name}")).status_code == 200


async def test_an_admin_deletes_a_benchmark_of_another_owner_by_asking_for_it(world: World) -> None:
    assert (await world.ask(world.admin, "DELETE", "/benchmarks/2")).status_code == 404
    assert (await world.ask(world.second, "DELETE", "/benchmarks/2?owner=first")).status_code == 403
    assert (await world.ask(world.admin, "DELETE", "/benchmarks/2?owner=second")).status_code == 404
    assert (await world.ask(world.admin, "DELETE", "/benchmarks/2?owner=first")).status_code == 204
    assert (await world.ask(world.first, "GET", "/benchmarks/2")).status_code == 404
