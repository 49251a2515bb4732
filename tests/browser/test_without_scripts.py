"""Links and forms are real: the pages work where scripts are off."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from tests.browser.stack import Stack
from tests.browser.watched import Watched, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Tabs = Callable[..., AbstractContextManager[Watched]]


def test_the_list_is_searched_sorted_and_followed(open_tab: Tabs, filled: Stack) -> None:
    with open_tab(java_script_enabled=False) as tab:
        page = tab.open("/ui/benchmarks")
        page.get_by_placeholder("Search in names").fill("errors")
        page.get_by_role("button", name="Search").click()
        assert "name=errors" in page.url
        assert page.locator("[data-row]").count() == 1
        page.locator("thead th a").first.click()
        assert page.locator("[data-row]").count() == 1
        page.get_by_role("link", name="Clear").click()
        assert page.locator("[data-row]").count() == len(filled.ids) - 1
        assert page.locator("th[aria-sort]").count() == 0


def test_a_benchmark_is_made_with_a_form_that_names_its_mistakes(browser: "Browser", empty: Stack) -> None:
    with tab(browser, empty.url, java_script_enabled=False) as watched:
        page = watched.open("/ui/benchmarks/new")
        page.locator("#f-model").fill("sim-ttft5-gap1-n4")
        page.get_by_role("button", name="Start").first.click()
        assert page.get_by_role("alert").is_visible()
        # Said so by the status as well.
        assert [problem for problem in watched.problems if "422" not in problem] == []
        watched.problems.clear()
        page.locator("#f-prompts").fill("Name a river.")
        page.get_by_role("button", name="Start").first.click()
        page.wait_for_url("**/ui/benchmarks/1*")
        assert empty.client.get("/benchmarks/1").json()["model"] == "sim-ttft5-gap1-n4"
