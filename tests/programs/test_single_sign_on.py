"""The servers of nginx that docs/operations.md shows for single sign-on; one more stands in for oauth2-proxy."""

import asyncio
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
import trustme

from shared.db.connection.database import Database
from shared.db.schema.migrate import upgrade
from tests.api.access.browsers import make_key
from tests.api.pages.forms_of import FORM
from tests.api.pages.html import Page as Read
from tests.support.programs.llmbench import llmbench
from tests.support.programs.ports import free_port
from tests.support.servers.nginx import PROGRAM, nginx

PAGE = Path(__file__).parents[2] / "docs/operations.md"
ALICE = "alice@example.com"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (`.ci/tools` fetches it)")


@dataclass
class Published:
    """Where people and programs reach the API, and the key that `*@example.com` has."""

    people: str
    programs: str
    key: str
    context: ssl.SSLContext

    def client(self, url: str, **headers: str) -> httpx2.Client:
        return httpx2.Client(base_url=url, verify=self.context, headers=headers, timeout=60, trust_env=False)


def from_the_docs(api: str, proxy: str, ports: dict[str, int], certificate: str) -> str:
    """The page's two servers, with this test's addresses."""
    _, block = re.findall(r"```nginx\n(.+?)```", PAGE.read_text(), re.DOTALL)
    text = str(block)
    for shown, here in (("http://127.0.0.1:4180", proxy), ("http://127.0.0.1:8000", api)):
        assert text.count(shown) == 1
        text = text.replace(shown, here)
    servers = text.split("server {")[1:]
    made = []
    for server in servers:
        (name,) = re.findall(r"server_name (\S+);", server)
        listen = f"listen 127.0.0.1:{ports[name]} ssl; {certificate}"
        made.append("server {" + server.replace("listen 443 ssl;", listen).replace(f"server_name {name};", ""))
    return "\n".join(made)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder, stack = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("stack")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    certificate = f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;"
    ports = {"bench.example.com": free_port(), "bench-api.example.com": free_port()}
    database = stack / "work" / "llmbench.db"
    database.parent.mkdir()
    url = f"sqlite:///{database}"
    upgrade(url)
    key_id, key = asyncio.run(_key(url))
    options = {
        "TRUSTED_PROXIES": "127.0.0.1",
        "TRUSTED_USER_HEADER": "X-Forwarded-Email",
        "TRUSTED_USERS": f'{{"*@example.com": "{key_id}"}}',
    }
    with llmbench(stack, "up", "--port", "0", **options) as up:
        api, proxy_port = up.wait_for_url(), free_port()
        # What oauth2-proxy does after its login: the name of the person, in place of what the client sent.
        proxy = f"location / {{ proxy_pass {api}; proxy_set_header Host $http_host; proxy_buffering off;"
        proxy += f" proxy_set_header X-Forwarded-Email {ALICE}; }}"
        rest = from_the_docs(api, f"http://127.0.0.1:{proxy_port}", ports, certificate)
        # The helper puts this inside a server of its own: end it, and open the last one for its closing brace.
        whole = f"{proxy}\n}}\n{rest.rstrip().removesuffix('}')}"
        with nginx(whole, folder, proxy_port):
            people, programs = (f"https://127.0.0.1:{port}" for port in ports.values())
            yield Published(people, programs, key, ssl.create_default_context(cafile=str(folder / "ca.pem")))


async def _key(url: str) -> tuple[str, str]:
    database = Database(url)
    made = await make_key(database, "search-team", "run", "Everyone at Example")
    await database.close()
    return made


def by_button(client: httpx2.Client) -> httpx2.Response:
    """Presses "Go on as search-team"."""
    origin = str(client.base_url).rstrip("/")
    headers = {**FORM, "origin": origin}
    return client.post("/ui/login", content=urlencode({"as": "user", "next": "/ui/workers"}), headers=headers)


def test_a_person_logs_in_with_a_button_and_uses_the_pages(published: Published) -> None:
    with published.client(published.people, accept="text/html") as client:
        asked = client.get("/ui/workers")
        assert asked.headers["location"] == "/ui/login?next=%2Fui%2Fworkers"
        form = Read(client.get(asked.headers["location"]).text)
        assert f"You are {ALICE}. Go on as search-team" in form.text
        answer = by_button(client)
        assert answer.headers["location"] == "/ui/workers"
        assert answer.headers["set-cookie"].startswith("__Host-llmbench_session=")
        assert "Secure" in answer.headers["set-cookie"]
        page = Read(client.get("/ui/workers").text)
        assert "search-team Everyone at Example run" in page.text
        token = page.all("meta", name="csrf")[0]["content"]
        body = {"name": "Of Alice", "model": "sim-ttft5-gap1-n4", "prompts": ["x"]}
        made = client.post("/benchmarks", json=body, headers={"x-csrf-token": token, "origin": published.people})
        assert made.status_code == 202, made.text
        assert client.post("/benchmarks", json=body, headers={"origin": published.people}).status_code == 403


def test_past_the_proxy_nobody_is_that_person(published: Published) -> None:
    with published.client(published.people) as client:
        cookie = by_button(client).headers["set-cookie"].partition(";")[0]
    named = {"x-forwarded-email": ALICE, "accept": "text/html"}
    with published.client(published.programs, **named) as client:
        assert "Go on as" not in client.get("/ui/login").text
        assert by_button(client).status_code == 422
        assert client.get("/ui/workers", headers={"cookie": cookie}).status_code == 303
        assert client.get("/benchmarks").status_code == 401
        key = {"authorization": f"Bearer {published.key}"}
        assert client.get("/whoami", headers=key).json()["owner"] == "search-team"


def test_a_client_cannot_name_another_person_to_the_proxy(published: Published) -> None:
    with published.client(published.people, **{"x-forwarded-email": "root@example.com"}) as client:
        assert "root@example.com" not in client.get("/ui/login").text
