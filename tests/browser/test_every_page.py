"""Every page in both themes and at both widths: no error, nothing from elsewhere, accessible, fits the screen."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.browser.judge import faults
from tests.browser.stack import Stack
from tests.browser.watched import NARROW, WIDE, Watched

Tabs = Callable[..., AbstractContextManager[Watched]]

PAGES = {
    "list": "/ui/benchmarks",
    "list-nothing-found": "/ui/benchmarks?name=nowhere",
    "benchmark": "/ui/benchmarks/{steady}",
    "benchmark-with-errors": "/ui/benchmarks/{errors}",
    "benchmark-failed": "/ui/benchmarks/{failed}",
    "benchmark-cancelled": "/ui/benchmarks/{cancelled}",
    "benchmark-of-one-request": "/ui/benchmarks/{one}",
    "benchmark-of-a-sweep": "/ui/benchmarks/{sweep}",
    "new": "/ui/benchmarks/new",
    "new-from-another": "/ui/benchmarks/new?from={errors}",
    "compare": "/ui/compare?ids={steady},{slower}",
    "compare-withheld": "/ui/compare?ids={steady},{errors},{sweep}",
    "curve": "/ui/benchmarks/{sweep}/curve",
    "curve-with-slo": "/ui/benchmarks/{sweep}/curve?slo=30",
    "history": "/ui/history",
    "leaderboard": "/ui/leaderboard",
    "spend": "/ui/spend",
    "spend-of-no-day": "/ui/spend?from=2020-01-01&to=2020-01-31",
    "webhooks": "/ui/webhooks",
    "webhook": "/ui/webhooks/{webhook}",
    "workers": "/ui/workers",
    "keys": "/ui/keys",
    "audit-log": "/ui/audit",
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_page(open_tab: Tabs, filled: Stack, path: str, width: int, dark: bool) -> None:
    with open_tab(width=width, dark=dark) as tab:
        assert faults(tab.open(path.format(**filled.ids))) == []
