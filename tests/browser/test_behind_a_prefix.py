"""The pages behind a proxy that publishes the product below a path."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.stack import Stack, stack
from tests.browser.watched import tab
from tests.support.programs.ports import free_port
from tests.support.servers.nginx import PROGRAM, nginx

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (`.ci/tools` fetches it)")

_LOCATION = """location /bench/ {{
    proxy_pass {api}/;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Prefix /bench;
    proxy_set_header X-Forwarded-Proto $scheme;
}}
location / {{ return 404; }}"""

_PATHS = """(all) => all.map((e) => e.getAttribute("href") ?? e.getAttribute("action"))
    .map((address) => new URL(address, location).pathname)"""


@pytest.fixture
def published(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str]]:
    """The product, and the origin with the prefix."""
    port = free_port()
    with (
        stack(tmp_path_factory.mktemp("prefix"), TRUSTED_PROXIES="127.0.0.1") as made,
        nginx(_LOCATION.format(api=made.url), tmp_path_factory.mktemp("nginx"), port),
    ):
        yield made, f"http://127.0.0.1:{port}/bench"


def test_every_link_form_and_script_stays_below_the_prefix(browser: "Browser", published: tuple[Stack, str]) -> None:
    made, base = published
    with tab(browser, base) as watched:
        page = watched.open("/")
        assert page.url == f"{base}/ui/benchmarks"
        page.get_by_role("button", name="Run the demo").click()
        page.wait_for_url("**/bench/ui/benchmarks/1*")
        paths = page.locator("nav a").evaluate_all("(all) => all.map((a) => a.pathname)")
        for path in (path for path in paths if path.startswith("/bench/ui")):
            page = watched.open(path.removeprefix("/bench"))
            links = page.locator("a[href], form[action]").evaluate_all(_PATHS)
            assert [link for link in links if not link.startswith("/bench")] == []
        assert [url for url in watched.requests if "/bench" not in url and not url.startswith("data:")] == []
        assert made.has_ended(1) or made.client.get("/benchmarks/1").is_success
