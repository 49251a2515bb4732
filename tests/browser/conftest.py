"""One browser and one filled product for all tests, and an empty product for those that change it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import chromium
from tests.browser.stack import Stack, add_samples, stack
from tests.browser.watched import Watched, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def filled(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product with samples, that tests only look at."""
    with stack(tmp_path_factory.mktemp("filled")) as made:
        add_samples(made)
        yield made


@pytest.fixture
def empty(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product in which nothing has run yet."""
    with stack(tmp_path_factory.mktemp("empty")) as made:
        yield made


@pytest.fixture
def open_tab(browser: "Browser", filled: Stack) -> Callable[..., AbstractContextManager[Watched]]:
    """`with open_tab(width=360, dark=True) as tab`: a tab on the filled product."""
    return partial(tab, browser, filled.url)
