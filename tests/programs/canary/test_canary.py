"""Planted secrets are nowhere where they must not be after a deployment did all that it can do: `make canary`.

The keys of providers are nowhere. A new API key, a webhook's secret and a session's cookie are in the one answer that
shows them. A prompt is in the tables and answers that are there to show it.
"""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from api.access.cookie import NAME
from shared.access.api_key import make, parse
from shared.webhooks.message import new_secret
from tests.programs.canary.deployment import PROVIDER_SECRETS, Deployment, deployment
from tests.programs.canary.echo import MODELS
from tests.programs.canary.remains import keep_remains
from tests.support.waiting import until

Json = dict[str, Any]
# What is there to show prompts.
SHOWS_PROMPTS = (
    *("database: prompts", "file: canary.db", "simulator", "terminal: show", "terminal: export"),
    *("answer: GET /benchmarks/", "answer: POST /benchmarks", "answer: GET /ui/benchmarks/", "answer: GET /datasets/"),
    *("answer: GET /ui/compare", "answer: GET /history"),
)
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployment(request.param, tmp_path) as running:
        yield running


async def test_no_secret_is_where_it_must_not_be(running: Deployment) -> None:
    await _keys(running)
    first = await _benchmarks(running)
    await _webhooks(running, first)
    await _files(running, first)
    await _crash(running)
    await _browser(running)
    await _refused(running)
    await _read_everything(running)
    await until(lambda: _told(running))
    await keep_remains(running)

    search = running.search
    # The endpoint was sent the secrets, and has repeated them.
    sent = str([(request.path, request.headers) for request in running.echo.requests])
    for name in PROVIDER_SECRETS[:2]:
        (value,) = (canary.value for canary in search.canaries if canary.name == name.lower())
        assert value in sent
    assert len(running.echo.requests) >= len(MODELS)
    assert {place.partition(":")[0] for place, _ in search.kept} >= {"answer", "database", "log", "redis", "spans"}
    assert running.spans.raw
    # The search finds what may be somewhere.
    found = await asyncio.to_thread(search.found)
    assert {name for name, _ in found} >= {canary.name for canary in search.canaries if canary.allowed}
    assert search.leaks(found) == []


async def _told(running: Deployment) -> bool:
    """Spans and events of what has ended have arrived."""
    return len(running.spans.named("run benchmark")) >= 1 and len(running.hooks.received) >= 4


async def _keys(running: Deployment) -> None:
    """A first key by the command line, others by the command line and the API. The client has the first."""
    admin = await running.cli("keys", "bootstrap")
    text = re.findall(r"lbk_\w+", admin)[0]
    running.search.plant("admin_key", parse(text).secret, "terminal: keys bootstrap")
    running.client.headers["authorization"] = f"Bearer {text}"
    known = {"LLMBENCH_SERVER": str(running.client.base_url), "LLMBENCH_API_KEY": text}
    made = await running.cli("keys", "create", "by the terminal", **known)
    running.search.plant("key_of_terminal", parse(re.findall(r"lbk_\w+", made)[0]).secret, "terminal: keys create")
    answer = await running.client.post("/keys", json={"name": "revoked", "owner": "acme", "scope": "run"})
    assert answer.status_code == 201, answer.text
    running.search.plant("key_of_api", parse(answer.json()["key"]).secret, "answer: POST /keys")
    assert (await running.client.delete(f"/keys/{answer.json()['id']}")).status_code == 204
    stale = await running.client.get("/whoami", headers={"authorization": f"Bearer {answer.json()['key']}"})
    assert stale.status_code == 401


async def _submit(running: Deployment, model: str, provider: str, **more: Any) -> int:
    body = {"name": model, "model": model, "provider": provider, "prompts": ["x", "y"], **more}
    answer = await running.client.post("/benchmarks", json=body)
    assert answer.status_code == 202, answer.text
    number: int = answer.json()["id"]
    return number


async def _ended(running: Deployment, number: int) -> Json:
    async def look() -> Json | None:
        document: Json = (await running.client.get(f"/benchmarks/{number}")).json()
        return document if document.get("completed_at") else None

    found = await until(look)
    assert found is not None
    return found


async def _benchmarks(running: Deployment) -> int:
    """One of each kind of answer, with a prompt, a webhook, and a dataset. Returns one that has results."""
    prompt = running.search.plant("prompt", None, *SHOWS_PROMPTS)
    secret = running.search.plant("own_webhook_secret", new_secret(), "answer: POST /benchmarks")
    hooked = {"webhook_url": running.hooks.url, "webhook_secret": secret, "prompts": [prompt, "y"]}
    first = await _submit(running, "sim-ttft1-gap1-n4", "simulated", **hooked)
    failing = [await _submit(running, model, "echo", prompts=[prompt]) for model in MODELS]
    failing += [await _submit(running, f"sim-ttft1-n4-{fault}", "simulated") for fault in ("rst2", "err529")]
    assert (await _ended(running, first))["status"] == "completed"
    for number in failing:
        document = await _ended(running, number)
        await running.client.get(f"/ui/benchmarks/{number}")
        await running.client.get(f"/benchmarks/{number}", params={"include": "timeline"})
        assert document["results"] or document["error"]
    rerun = (await running.client.post(f"/benchmarks/{first}/rerun")).json()["id"]
    await running.client.post(f"/benchmarks/{rerun}/cancel")
    await _ended(running, rerun)
    assert (await running.client.delete(f"/benchmarks/{rerun}")).status_code == 204
    rows = f'{{"prompt": "{prompt}"}}\n'.encode()
    added = await running.client.post(
        "/datasets", params={"name": "d", "format": "jsonl"}, content=rows, headers=NDJSON
    )
    assert added.status_code == 201
    await running.client.get(f"/datasets/{added.json()['id']}/rows")
    return first


async def _webhooks(running: Deployment, first: int) -> None:
    created = (await running.client.post("/webhooks", json={"url": running.hooks.url})).json()
    running.search.plant("webhook_secret", created["secret"], "answer: POST /webhooks")
    path = f"/webhooks/{created['id']}"
    rotated = (await running.client.post(f"{path}/rotate-secret")).json()["secret"]
    running.search.plant("rotated_secret", rotated, f"answer: POST {path}/rotate-secret")
    assert (await running.client.post(f"{path}/test")).status_code == 202
    await _ended(running, await _submit(running, "sim-ttft1-gap1-n4", "simulated"))
    await running.client.put("/baselines/main", json={"benchmark_id": first})


async def _files(running: Deployment, first: int) -> None:
    """Exports, a report and an import."""
    for kind in ("csv", "jsonl", "json"):
        assert (await running.client.get(f"/benchmarks/{first}/export", params={"format": kind})).status_code == 200
    document = (await running.client.get(f"/benchmarks/{first}/export", params={"format": "json"})).json()
    imported = await running.client.post("/import", json=document)
    assert imported.status_code == 201, imported.text
    for path in (f"/benchmarks/{first}/report", f"/ui/benchmarks/{first}/report", "/ui/compare?ids=1,2"):
        await running.client.get(path)


async def _crash(running: Deployment) -> None:
    """A worker is killed in the middle of a run, and another one goes on."""
    number = await _submit(running, "sim-ttft100-gap20-n4", "simulated", prompts=["x"] * 30, concurrency=2)

    async def under_way() -> bool:
        document = (await running.client.get(f"/benchmarks/{number}", params={"include": "none"})).json()
        return bool(document["progress"]["done"] >= 2)

    await until(under_way)
    worker = running.programs.pop()
    worker.signal(signal.SIGKILL)
    await worker.ended()
    running.start_worker()
    assert (await _ended(running, number))["status"] == "completed"


async def _browser(running: Deployment) -> None:
    """Logs in with a key of its own, looks at pages, and logs out."""
    made = await running.client.post("/keys", json={"name": "browser", "scope": "admin"})
    key = made.json()["key"]
    running.search.plant("key_of_browser", parse(key).secret, "answer: POST /keys")
    before = running.client.headers.pop("authorization")
    running.client.headers["origin"] = str(running.client.base_url).rstrip("/")
    form = urlencode({"key": key, "next": "/ui/benchmarks"})
    answer = await running.client.post("/ui/login", content=form, headers=FORM)
    assert answer.status_code == 303, answer.text
    cookie = running.client.cookies.get(NAME)
    assert cookie
    running.search.plant("session", cookie, "answer: POST /ui/login")
    for path in (
        "/ui/benchmarks",
        "/ui/benchmarks/1",
        "/ui/webhooks",
        "/ui/workers",
        "/ui/keys?owner=*",
        "/ui/audit?owner=*",
        "/ui/spend",
    ):
        await running.client.get(path, headers={"accept": "text/html"})
    wrong = running.search.plant("wrong_login", make().text)
    await running.client.post("/ui/login", content=urlencode({"key": wrong, "next": "/"}), headers=FORM)
    running.client.cookies.clear()
    del running.client.headers["origin"]
    running.client.headers["authorization"] = before


async def _refused(running: Deployment) -> None:
    """Keys that are wrong, and keys and prompts in places where nobody expects them."""
    wrong = running.search.plant("unknown_key", make().text)
    malformed = running.search.plant("malformed_key", f"lbk_{make().secret}")
    for key in (wrong, malformed):
        refused = await running.client.get("/benchmarks", headers={"authorization": f"Bearer {key}"})
        assert refused.status_code == 401
        basic = await running.client.get("/benchmarks", headers={"authorization": f"Basic {key}"})
        assert basic.status_code == 401
    known = str(running.client.headers["authorization"]).removeprefix("Bearer ")
    for key in (wrong, known):
        assert (await running.client.get("/benchmarks", params={"api_key": key})).status_code == 422
    text = running.search.plant("refused_text")
    for body in ({"name": text, "prompts": text}, {"name": "x", "unknown": text}, [text]):
        assert (await running.client.post("/benchmarks", json=body)).status_code == 422
    hostile = {"content-type": "application/json"}
    assert (await running.client.post("/benchmarks", content=f'{{"name": "{text}', headers=hostile)).status_code == 400


async def _read_everything(running: Deployment) -> None:
    """Every answer to a GET without a parameter in its path."""
    document = (await running.client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        if "get" in operations and "{" not in path:
            await running.client.get(path)
    for entry in (await running.client.get("/audit", params={"owner": "*", "limit": 200})).json()["items"]:
        assert entry["action"]
