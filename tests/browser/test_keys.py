"""The list without a mouse."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.browser.watched import Watched

Tabs = Callable[..., AbstractContextManager[Watched]]

_FOCUS = """() => {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    const words = e.getAttribute("aria-label") || e.textContent || e.name || "";
    return {
        name: `${e.tagName.toLowerCase()} ${words.trim().slice(0, 40)}`,
        body: e === document.body,
        seen: box.width > 0 && box.height > 0 && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
    };
}"""


def test_single_keys_search_move_select_and_help(open_tab: Tabs) -> None:
    with open_tab() as tab:
        page = tab.open("/ui/benchmarks")
        press = page.keyboard.press
        press("/")
        assert page.evaluate("document.activeElement.matches('[data-search]')")
        press("Escape")
        rows = page.locator("[data-row]")
        press("j")
        press("j")
        press("k")
        press("j")
        focused = page.evaluate("document.activeElement.closest('[data-row]').id")
        assert focused == rows.nth(1).get_attribute("id")
        press("x")
        assert rows.nth(1).locator("input[type=checkbox]").is_checked()
        press("j")
        press("x")
        assert page.locator("[data-count]").inner_text() == "2 selected"
        press("?")
        assert page.locator("dialog#keys").is_visible()
        press("Escape")
        assert page.locator("dialog#keys").is_hidden()
        press("j")
        with page.expect_navigation(url="**/ui/benchmarks/*"):
            press("Enter")


def test_n_opens_the_form_and_letters_in_it_are_letters(open_tab: Tabs) -> None:
    with open_tab() as tab:
        page = tab.open("/ui/benchmarks")
        with page.expect_navigation(url="**/ui/benchmarks/new"):
            page.keyboard.press("n")
        page.locator("#f-name").focus()
        page.keyboard.type("njkxc?/")
        assert page.locator("#f-name").input_value() == "njkxc?/"


def test_tab_goes_through_everything_in_reading_order_and_focus_is_seen(open_tab: Tabs) -> None:
    with open_tab() as tab:
        page = tab.open("/ui/benchmarks")
        places = []
        for _ in range(200):
            page.keyboard.press("Tab")
            place = page.evaluate(_FOCUS)
            if place["body"]:
                break
            places.append(place)
        assert places[0]["name"] == "a Skip to the content"
        assert [place["name"] for place in places if not place["seen"]] == []
        names = [place["name"] for place in places]
        order = ["a LLM Benchmark", "a Benchmarks", "a New benchmark", "button Search", "a Steady"]
        assert [name for name in names if name in order] == order
