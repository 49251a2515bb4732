"""Verdicts as Markdown, read by a real parser of it."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt

from cli.gate.report import Report
from cli.gate.summary import escaped, markdown
from tests.cli import documents
from tests.cli.gate.reports import FAILED, HOSTILE, PASSED, UNDECIDED, report


class Page(HTMLParser):
    """The elements, links and text of a page."""

    def __init__(self, found: Report) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown(found)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name == "href" and value]
        assert [name for name, _ in attrs if name not in ("href", "style")] == []

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_verdicts_numbers_and_links() -> None:
    page = Page(report(FAILED, UNDECIDED, PASSED, with_baseline=True))
    assert "llmbench: failed" in page.text
    assert "3 rules: 1 failed, 1 is undecided" in page.text
    assert page.links == ["https://bench.test/ui/benchmarks/2", "https://bench.test/ui/compare?ids=1,2"]
    row = page.text[page.text.index("ttft_ms.p50 > 100 ms") :].split("\n")
    cells = [cell for cell in row if cell][:6]
    assert cells == ["ttft_ms.p50 > 100 ms", "failed", "120.0 ms", "110.0 ms to 130.0 ms", "100.0 ms", "100"]
    assert "is undecided: 120.0 ms is over 115.0 ms, but its 95% interval" in page.text
    assert "Not comparable" not in page.text
    assert "Note: The runs were made at different times." in page.text
    assert "Cost per 1,000 requests" in page.text


def test_unknown_costs_are_said_although_the_rule_passed() -> None:
    cost = {"total_usd": 0.06, "per_succeeded_usd": 0.001, "priced_succeeded": 60, "unpriced_requests": 40}
    summary = documents.summary(succeeded=100, cost={**documents.summary()["cost"], **cost})
    page = Page(report("cost_usd_per_1000 > $2", PASSED, summary=summary))
    left_out = "40 of 100 requests have no known cost and are left out."
    assert f"not for certain: {left_out}" in page.text
    assert f"Cost per 1,000 requests: {left_out}" in page.text
    assert "ttft_ms.p50 > 200 ms passed" not in page.text


def test_hostile_texts_are_text() -> None:
    """The page has exactly the elements that it has with harmless texts, and no link of theirs."""
    rules = (FAILED, UNDECIDED)
    changes = {"status": "failed", "error": {"message": HOSTILE}}
    tame = Page(report(*rules, with_baseline=True, **{**changes, "error": {"message": "x"}}))
    wild = Page(report(*rules, with_baseline=True, name=HOSTILE, model=HOSTILE, provider=HOSTILE, **changes))
    assert wild.tags == tame.tags
    assert wild.links == tame.links
    assert "<img src=x onerror=alert(1)> | `a` **b** [c](javascript:d)" in wild.text
    assert "\x1b" not in wild.text
    assert "\u202e" not in wild.text


def test_nothing_of_a_foreign_text_can_be_found_by_what_makes_links_and_mentions() -> None:
    """They look for `@`, `#`, `://` and `www.` in the source."""
    source = escaped(HOSTILE)
    assert "\n" not in source
    for sign in ("@", "://", "www.", "<", "|", "`", "[", "\\"):
        assert sign not in source
    assert "#1 " not in source


def test_a_long_name_is_cut() -> None:
    page = Page(report(PASSED, name="x" * 10_000))
    assert "x" * 200 + "…" in page.text
    assert "x" * 201 not in page.text


def test_it_can_be_appended_to_a_page() -> None:
    assert markdown(report(PASSED)).endswith("</details>\n\n")
