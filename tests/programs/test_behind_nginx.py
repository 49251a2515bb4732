"""The API behind a real nginx, with the configuration that docs/operations.md shows."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import trustme

from cli.server.client import Client
from tests.support.programs.llmbench import llmbench
from tests.support.programs.ports import free_port
from tests.support.servers.nginx import PROGRAM, nginx

PAGE = Path(__file__).parents[2] / "docs/operations.md"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (`.ci/tools` fetches it)")


def from_the_docs(api: str, folder: Path) -> str:
    """The page's location block, with this test's API and users."""
    # The second one is that of single sign-on.
    block, _ = re.findall(r"```nginx\n(.+?)```", PAGE.read_text(), re.DOTALL)
    users = folder / "users"
    users.write_text("ann:{PLAIN}secret\n")
    for shown, here in (("http://127.0.0.1:8000", api), ("/etc/nginx/llmbench.htpasswd", str(users))):
        assert block.count(shown) == 1
        block = block.replace(shown, here)
    return str(block)


@pytest.fixture(scope="module")
def plain_url() -> str:
    """Where nginx listens without TLS."""
    return f"http://127.0.0.1:{free_port()}/llmbench"


@pytest.fixture(scope="module")
def base(plain_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The URL at which nginx publishes `llmbench up`, and the certificate to trust."""
    folder, stack = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("stack")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    with llmbench(stack, "up", "--port", "0", TRUSTED_PROXIES="127.0.0.1") as up:
        tls = f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;"
        tls_port = free_port()
        server = f"listen 127.0.0.1:{tls_port} ssl; {tls}\n{from_the_docs(up.wait_for_url(), folder)}"
        with nginx(server, folder, urlsplit(plain_url).port or 80):
            yield f"https://127.0.0.1:{tls_port}/llmbench", folder / "ca.pem"


@pytest.fixture
def client(base: tuple[str, Path]) -> Iterator[httpx2.Client]:
    url, authority = base
    context = ssl.create_default_context(cafile=str(authority))
    with httpx2.Client(base_url=url, verify=context, auth=("ann", "secret"), timeout=60, trust_env=False) as client:
        yield client


def test_every_link_of_a_benchmark_can_be_followed(client: httpx2.Client, base: tuple[str, Path]) -> None:
    body = {"name": "proxied", "model": "sim-ttft5-gap1-n4", "prompts": ["x", "y"]}
    submitted = client.post("/benchmarks", json=body, headers={"Prefer": "wait=60"})
    assert submitted.status_code == 200, submitted.text
    assert submitted.headers["location"].startswith("/llmbench/benchmarks/")
    origin = base[0].removesuffix("/llmbench")
    read = client.get(origin + submitted.headers["location"]).json()
    assert read["id"] == submitted.json()["id"]
    page = client.get(origin + read["results_url"], params={"limit": 1}).json()
    rest = client.get(origin + read["results_url"], params={"cursor": page["next_cursor"]}).json()
    paged = [*page["items"], *rest["items"]]
    assert {item["prompt"] for item in paged} == {item["prompt"] for item in read["results"]} == {"x", "y"}
    again = client.post(f"{origin}{submitted.headers['location']}/rerun")
    assert client.get(origin + again.headers["location"]).json()["rerun_of"] == read["id"]


def test_the_docs_page_loads_what_it_names(client: httpx2.Client, base: tuple[str, Path]) -> None:
    root = client.get("/")
    assert root.headers["location"].endswith("/llmbench/ui/benchmarks")
    page = client.get("/docs").text
    for url in re.findall(r'(?:src|href)="(https://[^"]+)"', page):
        assert url.startswith(base[0])
        assert client.get(url).status_code == 200
    (document,) = re.findall(r"url: '(.+?)'", page)
    assert client.get(base[0].removesuffix("/llmbench") + document).json()["servers"][0]["url"] == "/llmbench"


def test_nobody_gets_in_without_a_password(client: httpx2.Client) -> None:
    assert client.get("/benchmarks", auth=("ann", "wrong")).status_code == 401


def test_clients_cannot_choose_the_prefix(client: httpx2.Client) -> None:
    """nginx replaces what they send."""
    missing = client.get("/benchmarks/999", headers={"X-Forwarded-Prefix": "/evil", "X-Forwarded-Proto": "ftp"})
    assert missing.json()["instance"] == "/llmbench/benchmarks/999"


@pytest.mark.usefixtures("base")
def test_the_terminal_takes_a_server_below_a_path(plain_url: str) -> None:
    with Client(plain_url.replace("//", "//ann:secret@")) as own:
        own.check_ready()
        assert own.providers()
