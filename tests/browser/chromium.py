"""This machine's own Chromium, driven by playwright. Neither is there on a bare machine, and tests then say so."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")


def lacking() -> str | None:
    """Why no browser can be started; None if one can."""
    if importlib.util.find_spec("playwright") is None:
        return "the driver of Chromium cannot be installed from requirements/e2e.txt"
    if program() is None:
        return "Chromium is not on the PATH, nor at CHROMIUM"
    return None


def program() -> str | None:
    """Its path."""
    given = os.environ.get("CHROMIUM")
    return given or next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A running one. Skips the test if this machine lacks it."""
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    # Root may not use the sandbox; the pages are our own.
    arguments = ["--disable-dev-shm-usage", "--force-color-profile=srgb", "--font-render-hinting=none"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=arguments, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()
