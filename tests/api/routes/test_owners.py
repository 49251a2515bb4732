"""Over HTTP: what belongs to another owner is answered word for word as what does not exist."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from shared.access.caller import Caller
from shared.db.connection.database import Database
from tests.api.access.keys import KeyMaker, bearer
from tests.api.documents import problem
from tests.shared.db.owned_world import SECRET, Named, fill

ACME = Caller("acme", "run")
Asking = Callable[..., Any]

# Where `{…}` is a name of `Named`.
READS = (
    "/benchmarks/{benchmark}",
    "/benchmarks/{benchmark}?include=none",
    "/benchmarks/{benchmark}/results",
    "/benchmarks/{benchmark}/prompts",
    "/benchmarks/{benchmark}/charts",
    "/benchmarks/{benchmark}/curve",
    "/benchmarks/{benchmark}/observations",
    "/benchmarks/{benchmark}/events",
    "/benchmarks/{benchmark}/export?format=json",
    "/benchmarks/{benchmark}/webhook-deliveries",
    "/compare?ids={benchmark},{open}",
    "/datasets/{dataset}",
    "/datasets/{dataset}/rows",
    "/webhooks/{endpoint}",
    "/webhooks/{endpoint}/deliveries",
    "/baselines/{baseline}",
)
CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/benchmarks/{benchmark}/rerun", None),
    ("POST", "/benchmarks/{open}/cancel", None),
    ("DELETE", "/benchmarks/{doomed}", None),
    ("POST", "/benchmarks/{benchmark}/webhook-deliveries/{delivery}/redeliver", None),
    ("PUT", "/baselines/{baseline}", {"benchmark_id": "{benchmark}"}),
    ("DELETE", "/baselines/{baseline}", None),
    ("DELETE", "/datasets/{dataset}", None),
    ("PATCH", "/webhooks/{endpoint}", {"description": "mine"}),
    ("POST", "/webhooks/{endpoint}/test", None),
    ("POST", "/webhooks/{endpoint}/deliveries/{delivery}/redeliver", None),
    ("DELETE", "/webhooks/{endpoint}", None),
)


def filled_in(template: Any, named: Named) -> Any:
    if isinstance(template, dict):
        return {name: filled_in(value, named) for name, value in template.items()}
    text = template.format(**{name: getattr(named, name) for name in named.__slots__})
    return int(text) if template == "{benchmark}" else text


def said(response: httpx2.Response, named: Named) -> dict[str, Any]:
    """The problem without what differs between two requests: their ids, their paths, and what they named."""
    document = problem(response, response.status_code)
    text = document["detail"]
    for name in ("benchmark", "open", "doomed", "dataset", "endpoint", "delivery", "baseline"):
        text = text.replace(str(getattr(named, name)), "…")
    return {**document, "detail": text, "instance": None, "request_id": None}


@pytest.fixture
async def named(database: Database) -> Named:
    return await fill(database, ACME)


@pytest.fixture
async def maker(database: Database, named: Named) -> KeyMaker:
    maker = KeyMaker(database)
    await maker.make("admin")
    return maker


async def test_what_is_anothers_is_answered_as_what_is_missing(
    api: httpx2.AsyncClient, maker: KeyMaker, named: Named
) -> None:
    theirs, missing = bearer(await maker.make("run", "beta")), Named.missing()
    for method, path, body in (*(("GET", path, None) for path in READS), *CHANGES):
        answers = []
        for which in (named, missing):
            response = await api.request(
                method,
                filled_in(path, which),
                headers=theirs,
                json=None if body is None else filled_in(body, which),
            )
            assert response.status_code == 404, (method, path, response.text)
            assert SECRET not in response.text
            answers.append(said(response, which))
        assert answers[0] == answers[1], (method, path)


async def test_an_owner_and_an_admin_who_asks_read_it(api: httpx2.AsyncClient, maker: KeyMaker, named: Named) -> None:
    own, admin = bearer(await maker.make("read", "acme")), bearer(await maker.make("admin", "beta"))
    for path in READS:
        if path.startswith(("/compare", "/baselines", "/benchmarks/{benchmark}/charts")):
            continue
        at = filled_in(path, named)
        mark = "&" if "?" in at else "?"
        for headers, url in ((own, at), (admin, f"{at}{mark}owner=acme"), (admin, f"{at}{mark}owner=*")):
            if "/events" in at:
                continue
            response = await api.get(url, headers=headers)
            assert response.status_code == 200, (url, response.text)
        assert (await api.get(at, headers=admin)).status_code == 404, at
    assert (await api.get("/baselines/main", headers=own)).json()["benchmark_id"] == named.benchmark
    everyones = (await api.get("/baselines?owner=*", headers=admin)).json()["items"]
    assert [item["name"] for item in everyones] == ["main"]


async def test_lists_show_only_ones_own(api: httpx2.AsyncClient, maker: KeyMaker, named: Named) -> None:
    own, theirs = bearer(await maker.make("read", "acme")), bearer(await maker.make("read", "beta"))
    for path in ("/benchmarks", "/datasets", "/webhooks", "/baselines", f"/benchmarks?metadata=team:{SECRET}"):
        assert (await api.get(path, headers=own)).json()["items"], path
        answer = await api.get(path, headers=theirs)
        assert answer.json()["items"] == [], path
    for path in ("/history/sets", f"/leaderboard?prompt_set={named.prompt_set}", "/export/benchmarks?format=csv"):
        answer = await api.get(path, headers=theirs)
        assert SECRET not in answer.text, path


async def test_a_dataset_of_another_owner_is_unknown_in_a_spec(
    api: httpx2.AsyncClient, maker: KeyMaker, named: Named
) -> None:
    theirs, missing = bearer(await maker.make("run", "beta")), Named.missing()
    for route in ("/benchmarks", "/benchmarks/estimate"):
        answers = []
        for dataset in ({"id": named.dataset}, {"id": missing.dataset}, {"sha256": named.sha256}):
            workload = {"source": "dataset", "dataset": dataset}
            body = {"name": "x", "model": "sim", "workload": workload}
            document = problem(await api.post(route, json=body, headers=theirs), 422)
            answers.append(document["errors"])
        assert answers[0] == answers[1] == answers[2]
        assert answers[0][0]["code"] == "unknown_dataset"


async def test_a_key_of_a_post_belongs_to_an_owner(api: httpx2.AsyncClient, maker: KeyMaker) -> None:
    body = {"name": "x", "model": "sim", "prompts": ["x"]}
    found = []
    for owner in ("beta", "gamma", "beta"):
        headers = bearer(await maker.make("run", owner)) | {"idempotency-key": "same"}
        response = await api.post("/benchmarks", json=body, headers=headers)
        assert response.status_code == 202, response.text
        found.append(response.json()["id"])
    assert found[0] == found[2] != found[1]


async def test_no_owner_is_in_the_metrics(api: httpx2.AsyncClient, maker: KeyMaker, named: Named) -> None:
    text = (await api.get("/metrics")).text
    assert "llmbench_benchmarks" in text
    assert "acme" not in text
