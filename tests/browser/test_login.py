"""A product that needs keys: login by keyboard, pages of access, live pages with the cookie, nothing left behind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.browser.judge import faults
from tests.browser.stack import Stack, stack
from tests.browser.watched import NARROW, WIDE, Watched, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG_NAME = "dashboards of the office on the second floor, <b>a name</b> of nearly a hundred letters 模型 🚀"
# A link to the login keeps the page that was asked for; its own answer says that something was wrong.
PAGES = ("/ui/account", "/ui/keys", "/ui/audit", "/ui/audit?target=nothing", "/ui/keys?owner=acme")


@dataclass
class Closed:
    """A product with keys of an admin and of a reader of `acme`."""

    stack: Stack
    admin: str
    reader: str


@pytest.fixture(scope="module")
def closed(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    with stack(tmp_path_factory.mktemp("closed")) as made:
        first = made.client.post("/keys", json={"name": "Operations", "scope": "admin"}).raise_for_status().json()
        made.client.headers["authorization"] = f"Bearer {first['key']}"
        body = {"name": LONG_NAME, "owner": "acme", "scope": "read"}
        reader = made.client.post("/keys", json=body).raise_for_status().json()
        made.ids["one"] = made.run(name="One request", model="sim-ttft5-gap1-n4", prompts=["Name a lake."])
        yield Closed(made, first["key"], reader["key"])


def log_in(watched: Watched, key: str, path: str = "/ui/benchmarks") -> "Page":
    """Asks for a page, and gets it after the login."""
    page = watched.page
    page.goto(watched.origin + path)
    assert urlsplit(page.url).path == "/ui/login"
    # The field has the focus: pasting and Enter are enough.
    page.keyboard.insert_text(key)
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    assert page.url == watched.origin + path
    return page


def press(page: "Page", name: str) -> None:
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_of_access(browser: "Browser", closed: Closed, width: int, dark: bool) -> None:
    with tab(browser, closed.stack.url, width=width, dark=dark) as watched:
        assert faults(watched.open("/ui/login")) == []
        page = log_in(watched, closed.admin, "/ui/keys")
        key = page.locator("[data-row] a").first.get_attribute("href")
        assert key is not None
        for path in (*PAGES, key):
            assert faults(watched.open(path)) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_key_is_made_shown_once_and_revoked(browser: "Browser", closed: Closed) -> None:
    with tab(browser, closed.stack.url) as watched:
        page = log_in(watched, closed.admin, "/ui/keys")
        page.get_by_label("Name", exact=True).fill("nightly CI")
        page.get_by_label("Owner", exact=True).last.fill("acme")
        press(page, "Make the key")
        assert faults(page) == []
        text = page.locator(".copyable code").inner_text()
        assert text.startswith("lbk_")
        watched.open("/ui/keys?owner=acme")
        assert text not in page.content()
        with page.expect_navigation():
            page.get_by_role("link", name="Revoke nightly CI").click()
        press(page, "Revoke it")
        assert page.get_by_text("The key was revoked.").is_visible()
        answer = closed.stack.client.get("/benchmarks", headers={"authorization": f"Bearer {text}"})
        assert answer.status_code == 401


def test_after_logout_the_back_button_shows_nothing_and_no_storage_has_the_key(
    browser: "Browser", closed: Closed
) -> None:
    with tab(browser, closed.stack.url) as watched:
        page = log_in(watched, closed.admin)
        assert page.get_by_text("One request").first.is_visible()
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])")
        assert kept == '[{},{},"",null]'
        assert not any(closed.admin in url for url in watched.requests)
        press(page, "Log out")
        assert page.get_by_text("You are logged out.").is_visible()
        page.go_back(wait_until="load")
        assert urlsplit(page.url).path == "/ui/login"
        assert page.get_by_text("One request").count() == 0
        assert page.context.cookies() == []


def test_a_running_benchmark_is_followed_and_cancelled_with_the_cookie(browser: "Browser", closed: Closed) -> None:
    number = closed.stack.run(name="Slow", model="sim-ttft60000", prompts=["x"], wait=False)
    with tab(browser, closed.stack.url) as watched:
        page = log_in(watched, closed.admin, f"/ui/benchmarks/{number}")
        watched.until("document.querySelector('#live .doing')?.textContent.startsWith('Sending')")
        # The page hears of the end by server-sent events, which a script asks for with the cookie alone.
        closed.stack.client.post(f"/benchmarks/{number}/cancel").raise_for_status()
        watched.until("document.querySelector('header.page .status.cancelled') !== null")
        number = closed.stack.run(name="Slow", model="sim-ttft60000", prompts=["x"], wait=False)
        watched.open(f"/ui/benchmarks/{number}")
        press(page, "Cancel")
        watched.until("document.querySelector('header.page .status.cancelled') !== null")
        # The preview is sent by htmx: it has the token in a header.
        watched.open("/ui/benchmarks/new")
        page.locator("#f-model").fill("sim-ttft5-gap1-n4")
        page.locator("#f-prompts").fill("Name a river.")
        watched.until("document.querySelector('dl.estimate') !== null")


def test_a_session_that_ended_leads_to_the_login_from_wherever_one_is(browser: "Browser", closed: Closed) -> None:
    with tab(browser, closed.stack.url) as watched:
        page = log_in(watched, closed.admin, "/ui/benchmarks/new")
        page.context.clear_cookies()
        with page.expect_navigation(url="**/ui/login*"):
            page.locator("#f-model").fill("sim-ttft5-gap1-n4")
        assert all(" 401" in problem for problem in watched.problems)
        watched.problems.clear()


def test_a_page_that_follows_a_benchmark_leads_to_the_login_when_another_tab_logs_out(
    browser: "Browser", closed: Closed
) -> None:
    number = closed.stack.run(name="Slow", model="sim-ttft60000", prompts=["x"], wait=False)
    with tab(browser, closed.stack.url) as watched:
        page = log_in(watched, closed.admin, f"/ui/benchmarks/{number}")
        watched.until("document.querySelector('#live .doing') !== null")
        other = Watched(page.context.new_page(), watched.origin)
        press(other.open("/ui/account"), "Log out here")
        page.wait_for_url("**/ui/login?next=*")
        assert all(" 401" in problem for problem in watched.problems)
        watched.problems.clear()
    closed.stack.client.post(f"/benchmarks/{number}/cancel").raise_for_status()


def test_a_link_on_another_site_leads_to_the_page_and_not_to_the_login(browser: "Browser", closed: Closed) -> None:
    port = urlsplit(closed.stack.url).port
    with tab(browser, closed.stack.url) as watched:
        page = log_in(watched, closed.admin)
        # For cookies, `localhost` and 127.0.0.1 are different sites.
        elsewhere = Watched(page.context.new_page(), f"http://localhost:{port}")
        elsewhere.open("/ui/login")
        elsewhere.page.evaluate("(url) => { location.href = url }", f"{watched.origin}/ui/workers")
        elsewhere.page.wait_for_url(f"{watched.origin}/ui/workers")
        assert elsewhere.page.get_by_role("heading", name="Workers").is_visible()


def test_a_reader_sees_no_action_and_the_page_of_a_403_says_what_is_missing(browser: "Browser", closed: Closed) -> None:
    with tab(browser, closed.stack.url, width=NARROW) as watched:
        page = log_in(watched, closed.reader)
        assert page.get_by_role("link", name="New benchmark").count() == 0
        assert page.get_by_role("link", name="Keys", exact=True).count() == 0
        assert faults(page) == []
        page.goto(watched.origin + "/ui/keys")
        assert page.get_by_text("This needs a key with the scope admin; this one has the scope read.").is_visible()
        assert faults(page) == []
        assert all(" 403" in problem for problem in watched.problems)
        watched.problems.clear()


def test_login_and_logout_work_without_scripts(browser: "Browser", closed: Closed) -> None:
    with tab(browser, closed.stack.url, java_script_enabled=False) as watched:
        page = watched.open("/ui/login?next=/ui/workers")
        page.get_by_label("API key").fill("lbk_wrong")
        press(page, "Log in")
        assert page.get_by_text("This key was not accepted.").is_visible()
        assert page.get_by_label("API key").input_value() == ""
        assert all(" 422" in problem for problem in watched.problems)
        watched.problems.clear()
        page.get_by_label("API key").fill(closed.admin)
        press(page, "Log in")
        assert urlsplit(page.url).path == "/ui/workers"
        press(page, "Log out")
        assert page.get_by_text("You are logged out.").is_visible()
