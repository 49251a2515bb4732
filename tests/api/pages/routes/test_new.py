"""The form for a new benchmark: filled in, previewed, sent, and filled from an earlier benchmark."""

import shlex
from html import unescape
from typing import Any

import httpx2
import orjson
import pytest
import yaml

from api.pages.routes.new import MAX_PREFILLED_CHARS
from shared.db.connection.database import Database
from shared.settings import Settings
from tests.api.access.browsers import Browser, make_key
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import KEY, submit
from tests.api.pages.forms_of import FORM, id_in, led_to, read, seen, send
from tests.api.pages.html import Page
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api

NEW = "/ui/benchmarks/new"
LEAST = {"model": "sim", "prompts": "one\ntwo", "key": "abcdefgh"}
HOSTILE = "</textarea><img src=x onerror=alert(1)>\"'"


def settings(url: str, **changes: Any) -> Settings:
    return make_settings(url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR, **changes)


def value_of(page: Page, name: str) -> str:
    """What a field of the form holds, as a browser would send it."""
    for tag, attributes in page.elements:
        chosen = attributes.get("type") != "radio" or "checked" in attributes
        if tag == "input" and attributes.get("name") == name and chosen:
            return attributes.get("value", "")
    raise KeyError(name)


def text_in(markup: str, name: str) -> str:
    """The content of a text area, as a browser reads it: without the first line break."""
    begin = markup.index(f'name="{name}"')
    content = markup[markup.index(">", begin) + 1 :]
    return unescape(content[: content.index("</textarea>")]).removeprefix("\n")


async def stored(client: httpx2.AsyncClient, location: str) -> dict[str, Any]:
    document: dict[str, Any] = (await client.get(f"/benchmarks/{id_in(location)}")).json()
    return document


async def test_an_empty_form_offers_the_endpoints_and_says_which_need_a_key(empty_api: httpx2.AsyncClient) -> None:
    page = await seen(empty_api, NEW)
    options = {item["value"] for item in page.all("option")}
    assert {"", "simulator", "groq", "anthropic"} <= options
    assert "anthropic: no worker has ANTHROPIC_API_KEY" in page.text
    assert "groq: https://api.groq.com/openai/v1" in page.text
    assert value_of(page, "load") == "closed"
    assert len(value_of(page, "key")) >= 8
    assert KEY not in " ".join(page.texts)


async def test_a_form_stores_a_benchmark_and_leads_to_it(sqlite_api: httpx2.AsyncClient) -> None:
    form = {**LEAST, "concurrency": "2", "max_tokens": "20", "metadata": "team=search", "name": "Ours"}
    led = led_to(await send(sqlite_api, "/ui/benchmarks", form))
    assert led.endswith("?notice=started")
    benchmark = await stored(sqlite_api, led)
    assert (benchmark["name"], benchmark["concurrency"], benchmark["metadata"]) == ("Ours", 2, {"team": "search"})
    prompts = (await sqlite_api.get(f"/benchmarks/{benchmark['id']}/prompts")).json()["items"]
    assert [prompt["messages"][0]["content"] for prompt in prompts] == ["one", "two"]


async def test_a_second_press_starts_nothing_and_a_changed_form_does(sqlite_api: httpx2.AsyncClient) -> None:
    first = led_to(await send(sqlite_api, "/ui/benchmarks", LEAST))
    again = led_to(await send(sqlite_api, "/ui/benchmarks", LEAST))
    assert (id_in(again), again.endswith("?notice=started-before")) == (id_in(first), True)
    changed = led_to(await send(sqlite_api, "/ui/benchmarks", {**LEAST, "repetitions": "2"}))
    assert id_in(changed) == id_in(first) + 1


async def test_the_form_of_a_deleted_benchmark_starts_another_one(sqlite_api: httpx2.AsyncClient) -> None:
    first = id_in(led_to(await send(sqlite_api, "/ui/benchmarks", LEAST)))
    await sqlite_api.delete(f"/benchmarks/{first}")
    answer = await send(sqlite_api, "/ui/benchmarks", LEAST)
    assert answer.status_code == 422
    page = read(answer.text)
    assert "was deleted" in page.text
    key = value_of(page, "key")
    assert id_in(led_to(await send(sqlite_api, "/ui/benchmarks", {**LEAST, "key": key}))) == first + 1


async def test_errors_stand_beside_their_fields_and_nothing_is_lost(empty_api: httpx2.AsyncClient) -> None:
    form = {
        "model": "sim",
        "prompts": "",
        "concurrency": "many",
        "system": HOSTILE,
        "name": HOSTILE,
        "load": "closed",
        "slo_ttft_ms": "-1",
        "key": "abcdefgh",
    }
    answer = await send(empty_api, "/ui/benchmarks", form)
    assert answer.status_code == 422
    page = read(answer.text)
    wrong = {item["name"]: item for _, item in page.elements if item.get("aria-invalid")}
    assert list(wrong) == ["prompts", "concurrency", "slo_ttft_ms"]
    for name, field in wrong.items():
        assert page.all("p", id=f"e-{name}")
        assert f"e-{name}" in field["aria-describedby"]
        # The summary at the top leads there.
        assert page.all("a", href=f"#f-{name}")
    assert [item["name"] for _, item in page.elements if "autofocus" in item] == ["prompts"]
    assert "Must be a whole number, in digits." in page.text
    assert value_of(page, "concurrency") == "many"
    assert value_of(page, "name") == HOSTILE
    assert text_in(answer.text, "system") == HOSTILE
    # The sections with errors and with texts are open.
    assert sum("open" in item for item in page.all("details")) == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"provider": "nowhere"}, "provider"),
        ({"provider": "anthropic", "model": "claude-3-haiku-20240307"}, "provider"),
        ({"model": "unheard-of"}, "model"),
        ({"source": "dataset", "dataset": "77"}, "dataset"),
        ({"provider": "simulator", "temperature": "1.5"}, "temperature"),
    ],
)
async def test_what_only_the_service_knows_is_beside_its_field_too(
    empty_api: httpx2.AsyncClient, values: dict[str, str], field: str
) -> None:
    for path in ("/ui/benchmarks", f"{NEW}/preview"):
        answer = await send(empty_api, path, {**LEAST, **values})
        assert answer.status_code == (422 if path == "/ui/benchmarks" else 200)
        wrong = [item["name"] for _, item in read(answer.text).elements if item.get("aria-invalid")]
        assert wrong == [field]


async def test_the_preview_says_what_is_sent_and_shows_the_same_for_a_terminal(empty_api: httpx2.AsyncClient) -> None:
    form = {**LEAST, "model": "claude-3-haiku-20240307", "provider": "simulator", "repetitions": "5", "warmup": "2"}
    for headers, is_part in (({"hx-request": "true"}, True), ({}, False)):
        answer = await send(empty_api, f"{NEW}/preview", form, **headers)
        assert answer.status_code == 200
        page = read(answer.text)
        assert bool(page.all("form", id="new-form")) != is_part
        assert "Sends 12 requests, 2 of them as warm-up" in page.text
        assert "Goes to simulator." in page.text
        assert "Costs $0.0000" in page.text
        assert "at most 12,288 tokens" in page.text
        assert "The simulator answered for claude-3-haiku-20240307" in page.text
    command = next(text for text in page.texts if text.startswith("curl"))
    words = shlex.split(command)
    assert words[2] == "http://localhost/benchmarks"
    checked = await empty_api.post("/benchmarks/estimate", json=orjson.loads(words[-1]))
    assert checked.json()["estimate"]["requests"] == 12
    spec = next(text for text in page.texts if text.startswith("name:"))
    assert yaml.safe_load(spec) == orjson.loads(words[-1])


async def test_the_preview_of_a_wrong_form_lists_what_to_mend(empty_api: httpx2.AsyncClient) -> None:
    answer = await send(empty_api, f"{NEW}/preview", {"prompts": "x", "name": HOSTILE}, **{"hx-request": "true"})
    assert answer.status_code == 200
    assert "Model: is required" in read(answer.text).text


async def test_what_is_not_known_before_the_start_says_why(empty_api: httpx2.AsyncClient) -> None:
    form = {**LEAST, "load": "sweep"}
    page = read((await send(empty_api, f"{NEW}/preview", form, **{"hx-request": "true"})).text)
    assert "– a duration or results decide how many requests are sent" in page.text


async def test_the_file_holds_all_prompts(empty_api: httpx2.AsyncClient) -> None:
    prompts = [f"prompt {number}" for number in range(1_000)]
    form = {**LEAST, "prompts": "\n".join(prompts)}
    answer = await send(empty_api, f"{NEW}/file", form)
    assert answer.headers["content-disposition"] == 'attachment; filename="benchmark.yaml"'
    assert yaml.safe_load(answer.text)["prompts"] == prompts
    part = await send(empty_api, f"{NEW}/preview", form, **{"hx-request": "true"})
    assert "The last 980 prompts are left out here." in read(part.text).text
    assert len(part.content) < 20_000


async def test_the_file_of_a_wrong_form_is_the_form(empty_api: httpx2.AsyncClient) -> None:
    answer = await send(empty_api, f"{NEW}/file", {})
    assert (answer.status_code, "Model: is required" in read(answer.text).text) == (422, True)


async def test_an_earlier_benchmark_fills_the_form(sqlite_api: httpx2.AsyncClient) -> None:
    prompts = ["one\ntwo", {"messages": [{"role": "user", "content": HOSTILE}], "system": "Be brief."}]
    load = {"stages": [{"concurrency": 2, "requests": 4}]}
    first = await submit(
        sqlite_api, prompts=prompts, name=HOSTILE, load=load, parameters={"top_k": 3, "temperature": 0.5}
    )
    markup = (await sqlite_api.get(f"{NEW}?from={first['id']}")).text
    page = read(markup)
    names = ("model", "name", "temperature", "key", "provider", "from")
    values = {name: value_of(page, name) for name in names if name != "provider"}
    values |= {name: text_in(markup, name) for name in ("prompts", "advanced", "system")}
    values |= {"load": value_of(page, "load"), "prompts_format": "json", "source": value_of(page, "source")}
    assert [item["value"] for item in page.all("option") if "selected" in item and item["value"] == "json"]
    again = await stored(sqlite_api, led_to(await send(sqlite_api, "/ui/benchmarks", values)))
    for name in ("name", "model", "parameters", "load", "concurrency"):
        assert again[name] == first[name]
    sent = [(await sqlite_api.get(f"/benchmarks/{item['id']}/prompts")).json() for item in (first, again)]
    assert sent[0] == sent[1]


async def test_long_prompts_of_an_earlier_benchmark_stay_on_the_server(sqlite_api: httpx2.AsyncClient) -> None:
    first = await submit(sqlite_api, prompts=["x" * MAX_PREFILLED_CHARS, "two"])
    answer = await sqlite_api.get(f"{NEW}?from={first['id']}")
    page = read(answer.text)
    assert len(answer.content) < 50_000
    values = {**LEAST, "prompts": "", "prompts_from": value_of(page, "prompts_from")}
    again = await stored(sqlite_api, led_to(await send(sqlite_api, "/ui/benchmarks", values)))
    assert again["progress"]["total"] == 2
    # What was typed takes their place.
    typed = {**values, "prompts": "a\nb\nc"}
    assert (await stored(sqlite_api, led_to(await send(sqlite_api, "/ui/benchmarks", typed))))["progress"]["total"] == 3


@pytest.mark.parametrize(("earlier", "status"), [("7", 404), ("x", 422), ("0", 422)])
async def test_an_earlier_benchmark_that_is_not_there(empty_api: httpx2.AsyncClient, earlier: str, status: int) -> None:
    await seen(empty_api, f"{NEW}?from={earlier}", status)


async def test_models_are_offered_with_their_prices(empty_api: httpx2.AsyncClient) -> None:
    page = await seen(empty_api, f"{NEW}/models?model=claude-3-haiku-20240307")
    first = page.all("option")[0]
    assert first["value"] == "claude-3-haiku"
    assert "claude-3-haiku, anthropic: $0.25 in, $1.25 out per million tokens" in page.text
    assert len((await seen(empty_api, f"{NEW}/models")).all("option")) == 30
    groq = await seen(empty_api, f"{NEW}/models?model=llama&provider=groq")
    assert "groq" in " ".join(groq.texts[:2])


@pytest.mark.parametrize("path", ["/ui/benchmarks", f"{NEW}/preview", f"{NEW}/file"])
async def test_pages_of_other_sites_start_nothing(empty_api: httpx2.AsyncClient, path: str) -> None:
    evil = {**FORM, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert (await empty_api.post(path, content="model=sim&prompts=x", headers=evil)).status_code == 403
    assert (await empty_api.post(path, json=LEAST)).status_code == 415


async def test_a_form_is_bounded_like_every_body(sqlite_url: str) -> None:
    async with running_api(settings(sqlite_url, max_body_bytes=10_000), KEYS) as client:
        answer = await send(client, "/ui/benchmarks", {**LEAST, "prompts": "x" * 11_000})
        assert answer.status_code == 413
        assert "MAX_BODY_BYTES" in read(answer.text).text


async def test_links_and_forms_keep_the_prefix_of_a_proxy(sqlite_url: str) -> None:
    async with running_api(settings(sqlite_url, root_path="/bench"), KEYS) as client:
        page = read((await send(client, f"{NEW}/preview", LEAST)).text)
        assert page.all("form", action="/bench/ui/benchmarks")
        assert any("http://localhost/bench/benchmarks" in text for text in page.texts)
        led = await send(client, "/ui/benchmarks", LEAST)
        assert led.headers["location"].startswith("/bench/ui/benchmarks/1?")


async def test_commands_for_a_shell_send_its_key_where_one_is_needed(
    api: httpx2.AsyncClient, database: Database
) -> None:
    _, key = await make_key(database, "default", "admin")
    browser = Browser(api)
    await browser.log_in(key)
    first = read((await api.get("/ui/benchmarks")).text)
    token = next(meta["content"] for meta in first.all("meta", name="csrf"))
    preview = read((await send(api, f"{NEW}/preview", {**LEAST, "csrf": token})).text)
    for page in (first, preview):
        words = shlex.split(next(text for text in page.texts if text.startswith("curl")))
        assert "Authorization: Bearer $LLMBENCH_API_KEY" in words
        assert key not in page.text
