"""What comes out of the printer: light and without navigation, whatever the theme."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.browser.stack import Stack
from tests.browser.watched import Watched

Tabs = Callable[..., AbstractContextManager[Watched]]

WHITE = "rgb(255, 255, 255)"


@pytest.mark.parametrize("chosen", [None, "dark"])
def test_paper_is_light(open_tab: Tabs, filled: Stack, chosen: str | None) -> None:
    with open_tab(dark=True) as tab:
        page = tab.open(f"/ui/benchmarks/{filled.ids['steady']}")
        if chosen:
            page.select_option("#theme", chosen)
        surface = "getComputedStyle(document.documentElement).backgroundColor"
        assert page.evaluate(surface) != WHITE
        page.emulate_media(media="print")
        assert page.evaluate(surface) == WHITE
        assert not page.is_visible("header.site")
