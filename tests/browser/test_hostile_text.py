"""What models, endpoints and users write is text: it runs nothing, loads nothing and breaks no page."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.hostile import FORMULA, MARK, METADATA, NAME, SCRIPT, TEXTS, hostile_endpoint
from tests.browser.judge import nameless, too_wide
from tests.browser.stack import Stack, stack
from tests.browser.watched import NARROW, WIDE, tab
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = (
    "/ui/benchmarks",
    "/ui/benchmarks/{hostile}",
    "/ui/benchmarks/new?from={hostile}",
    "/ui/compare?ids={hostile},{other}",
    "/ui/history",
    "/ui/leaderboard",
    "/ui/spend",
    "/ui/webhooks/{webhook}",
)


@pytest.fixture(scope="module")
def attacked(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product with two benchmarks in which every text is hostile."""
    with hostile_endpoint() as url:
        provider = {"name": "hostile", "protocol": "openai", "base_url": url}
        with stack(tmp_path_factory.mktemp("hostile"), PROVIDERS=json.dumps([provider])) as made:
            body = {
                "name": NAME,
                "provider": "hostile",
                "model": SCRIPT[:100],
                "prompts": [text.replace("\0", "")[:20_000] for text in TEXTS],
                "repetitions": 3,
                "metadata": METADATA,
            }
            for name in ("hostile", "other"):
                made.ids[name] = made.run(wait=False, **body)
                wait_until(lambda name=name: made.has_ended(made.ids[name]))
            webhook = {"url": "http://127.0.0.1:9/%3Cscript%3E", "description": (SCRIPT + FORMULA)[:200]}
            made.ids["webhook"] = made.client.post("/webhooks", json=webhook).raise_for_status().json()["id"]
            yield made


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("path", PAGES)
def test_page_shows_it_as_text(browser: "Browser", attacked: Stack, path: str, width: int) -> None:
    with tab(browser, attacked.url, width=width) as watched:
        page = watched.open(path.format(**attacked.ids))
        page.locator("main details").evaluate_all("(all) => all.forEach((each) => { each.open = true })")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.dataset." + MARK) is None
        assert page.locator("img[src=x]").count() == 0
        assert too_wide(page) == []
        assert nameless(page) == []
        assert "49" not in page.title()
