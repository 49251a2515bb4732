"""What judges the pages finds what is wrong with a page."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.browser.judge import nameless, too_wide, violations
from tests.browser.watched import NARROW, Watched

Tabs = Callable[..., AbstractContextManager[Watched]]


def test_it_finds_what_is_too_wide_without_label_or_hard_to_read(open_tab: Tabs) -> None:
    with open_tab(width=NARROW) as tab:
        tab.page.set_content(
            "<!doctype html><html lang=en><title>x</title><main><h1>x</h1><input name=a>"
            "<p style='color:#aaa;background:#fff'>pale</p><div style='width:900px'>wide</div>"
            "<div style='overflow-x:auto'><div style='width:900px'>may scroll</div></div></main>"
        )
        assert [item.rpartition(": ")[2] for item in too_wide(tab.page)] == ["wide"]
        assert nameless(tab.page) == ['<input name="a">']
        assert {item.partition(":")[0] for item in violations(tab.page)} == {"color-contrast", "label"}


def test_a_tab_remembers_errors_lost_requests_and_other_hosts(open_tab: Tabs) -> None:
    with open_tab() as tab:
        page = tab.open("/ui/benchmarks")
        page.evaluate("() => { setTimeout(() => { throw new Error('a fault') }) }")
        page.evaluate("() => { new Image().src = 'http://127.0.0.2:9/x.png' }")
        page.evaluate("() => fetch('/ui/nowhere')")
        page.wait_for_timeout(500)
        said = "\n".join(tab.problems)
        for words in ("uncaught", "asks another host", "Content Security Policy", "/ui/nowhere answers 404"):
            assert words in said
        tab.problems.clear()
