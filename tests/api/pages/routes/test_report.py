"""The report: one file that needs nothing else."""

import base64
import hashlib
import re

import httpx2
import pytest

from shared.db.connection.database import Database
from tests.api.access.browsers import make_key
from tests.api.documents import submit
from tests.api.pages.html import Page, forbidden
from tests.api.pages.routes.test_benchmark import HOSTILE, ended
from tests.shared.db.rows import Tables

STYLE = re.compile(r"<style>(.*?)</style>", re.S)


async def test_a_report_stands_alone(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    await ended(api, tables)
    await submit(api, name="pending")
    answer = await api.get("/ui/report?ids=1,2,3")
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 500_000
    (style,) = STYLE.findall(answer.text)
    # Its own style is let through by its hash; nothing else is loaded.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert forbidden(STYLE.sub("", answer.text)) == []
    page = Page(STYLE.sub("", answer.text))
    assert page.all("script") == page.all("link") == page.all("img") == page.all("form") == []
    assert "url(" not in style
    assert "@import" not in style
    assert {link["href"] for link in page.all("a")} == {"#benchmark-1", "#benchmark-2", "#benchmark-3"}
    assert page.text.count(f"Run {HOSTILE}") >= 4
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {"ttft-ecdf-1", "ttft-ecdf-2"} < set(ids)
    assert 'aria-labelledby="ttft-ecdf-2-title ttft-ecdf-2-caption"' in answer.text
    assert "Definitions" in page.text
    # It is read later than it is made.
    assert " ago" not in page.text
    assert answer.headers["content-disposition"] == 'inline; filename="llmbench-report-1-2-3.html"'


@pytest.mark.parametrize("ids", ["", "x", "1,,2", "0", "1,2,3,4,5,6,7,8,9", "99999999999999999999", "-1", "²"])
async def test_wrong_ids_are_refused(empty_api: httpx2.AsyncClient, ids: str) -> None:
    assert (await empty_api.get("/ui/report", params={"ids": ids})).status_code == 422


async def test_an_unknown_benchmark_is_not_found(empty_api: httpx2.AsyncClient) -> None:
    answer = await empty_api.get("/ui/report?ids=7")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    # `llmbench report` asks for JSON, and prints what the problem says.
    answer = await empty_api.get("/ui/report?ids=7", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no benchmark 7")


async def test_the_key_of_an_admin_reports_on_other_owners(
    api: httpx2.AsyncClient, tables: Tables, database: Database
) -> None:
    await ended(api, tables)
    keys = {scope: (await make_key(database, "acme", scope))[1] for scope in ("admin", "read")}
    statuses: dict[str, list[int]] = {}
    for scope, key in keys.items():
        for owner in ("", "&owner=default", "&owner=*", "&owner=acme", "&owner=A B"):
            headers = {"authorization": f"Bearer {key}", "accept": "application/json"}
            answer = await api.get(f"/ui/report?ids=1{owner}", headers=headers)
            statuses.setdefault(scope, []).append(answer.status_code)
    assert statuses == {"admin": [404, 200, 200, 404, 422], "read": [404, 403, 403, 403, 403]}
