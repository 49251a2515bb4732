"""Run again, cancel, delete, and the demo."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from api.pages.routes.actions import DEMO
from api.pages.words.notices import NOTICES
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import submit
from tests.api.pages.forms_of import FORM, id_in, led_to, read, seen, send
from tests.shared.db.rows import Tables, make_record
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api

NAME = '<img src=x onerror="alert(1)">'


@pytest.fixture
async def without_simulator(sqlite_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", None)
    async with running_api(settings, KEYS) as client:
        yield client


async def test_run_again_stores_the_same_benchmark_once_for_each_key(sqlite_api: httpx2.AsyncClient) -> None:
    first = (await submit(sqlite_api))["id"]
    path = f"/ui/benchmarks/{first}/rerun"
    led = [led_to(await send(sqlite_api, path, {"key": "abcdefgh"})) for _ in range(2)]
    assert led[0] == led[1]
    assert led[0].endswith("?notice=rerun")
    again = (await sqlite_api.get(f"/benchmarks/{id_in(led[0])}")).json()
    assert (again["rerun_of"], again["name"]) == (first, "Haiku Speed Test")
    assert id_in(led_to(await send(sqlite_api, path, {"key": "ijklmnop"}))) == again["id"] + 1
    # Without scripts or with an old page there may be no key.
    assert id_in(led_to(await send(sqlite_api, path))) == again["id"] + 2


async def test_cancel_leads_back_and_says_what_became_of_it(sqlite_api: httpx2.AsyncClient) -> None:
    benchmark = (await submit(sqlite_api))["id"]
    path = f"/ui/benchmarks/{benchmark}"
    assert led_to(await send(sqlite_api, f"{path}/cancel")) == f"{path}?notice=cancelled"
    assert (await sqlite_api.get(f"/benchmarks/{benchmark}")).json()["status"] == "cancelled"


async def test_a_running_benchmark_is_cancelled_by_its_worker(api: httpx2.AsyncClient, tables: Tables) -> None:
    benchmark = (await submit(api))["id"]
    await tables.claimed()
    path = f"/ui/benchmarks/{benchmark}"
    assert led_to(await send(api, f"{path}/cancel")) == f"{path}?notice=cancelling"
    assert (await api.get(f"/benchmarks/{benchmark}")).json()["cancel_requested_at"] is not None


async def test_a_deletion_names_what_is_lost_and_asks(api: httpx2.AsyncClient, tables: Tables) -> None:
    benchmark = (await submit(api, name=NAME))["id"]
    await tables.results.record(await tables.claimed(), [make_record(0), make_record(1)])
    path = f"/ui/benchmarks/{benchmark}/delete"
    page = await seen(api, path)
    assert NAME in page.text
    assert "2 results" in page.text
    assert "it is cancelled first" in page.text
    # A form without the answer asks again and deletes nothing.
    assert (await send(api, path)).status_code == 200
    assert (await api.get(f"/benchmarks/{benchmark}")).status_code == 200
    assert led_to(await send(api, path, {"confirmed": "yes"})) == "/ui/benchmarks?notice=deleted"
    assert (await api.get(f"/benchmarks/{benchmark}")).status_code == 404


@pytest.mark.parametrize("action", ["rerun", "cancel", "delete"])
async def test_what_is_gone_is_a_page_that_says_so(empty_api: httpx2.AsyncClient, action: str) -> None:
    answer = await send(empty_api, f"/ui/benchmarks/7/{action}", {"confirmed": "yes"})
    assert answer.status_code == 404
    assert "benchmark 7" in read(answer.text).text


async def test_the_demo_goes_to_the_simulator(sqlite_api: httpx2.AsyncClient) -> None:
    led = led_to(await send(sqlite_api, "/ui/demo", {"key": "abcdefgh"}))
    assert led.endswith("?notice=demo")
    demo = (await sqlite_api.get(f"/benchmarks/{id_in(led)}")).json()
    assert (demo["name"], demo["provider"], demo["notices"]) == (DEMO["name"], "simulator", [])
    # What the notice says.
    assert demo["progress"]["total"] == 40
    assert "40 requests" in NOTICES["demo"].text
    assert demo["endpoint"]["base_url"].startswith(SIMULATOR)


async def test_without_a_simulator_the_demo_says_how_to_get_one(without_simulator: httpx2.AsyncClient) -> None:
    answer = await send(without_simulator, "/ui/demo")
    assert answer.status_code == 409
    assert "llmbench demo --keep" in read(answer.text).text
    assert (await without_simulator.get("/benchmarks")).json()["items"] == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
    ],
)
async def test_pages_of_other_sites_can_do_nothing(
    sqlite_api: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    benchmark = (await submit(sqlite_api))["id"]
    for path in ("rerun", "cancel", "delete"):
        answer = await sqlite_api.post(
            f"/ui/benchmarks/{benchmark}/{path}", content="confirmed=yes", headers={**FORM, **headers}
        )
        assert answer.status_code == status
    assert (await sqlite_api.post("/ui/demo", content="", headers={**FORM, **headers})).status_code == status
    (left,) = (await sqlite_api.get("/benchmarks")).json()["items"]
    assert left["status"] == "pending"


async def test_a_body_that_is_no_form_is_refused(sqlite_api: httpx2.AsyncClient) -> None:
    benchmark = (await submit(sqlite_api))["id"]
    answer = await sqlite_api.post(f"/ui/benchmarks/{benchmark}/delete", content=b"confirmed=%FF", headers=FORM)
    assert answer.status_code == 400
    assert "The body is not a form: it is not UTF-8." in read(answer.text).text


async def test_a_notice_has_words_of_its_own_only(sqlite_api: httpx2.AsyncClient) -> None:
    benchmark = (await submit(sqlite_api))["id"]
    path = f"/ui/benchmarks/{benchmark}/delete"
    assert NOTICES["cancelled"].text in (await seen(sqlite_api, f"{path}?notice=cancelled")).text
    assert "Send me money" not in (await seen(sqlite_api, f"{path}?notice=Send+me+money")).text
