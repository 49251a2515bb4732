"""The first page as a browser sees it that has nothing in its cache: until everything is loaded, and what is sent."""

from collections.abc import Callable

from checks.report import not_run
from shared.numbers.statistics import percentile
from tests.browser.chromium import lacking

LOADS = 5
_MEASURE = """() => {
    const page = performance.getEntriesByType("navigation")[0];
    const all = [page, ...performance.getEntriesByType("resource")];
    return [page.loadEventEnd, all.reduce((sum, e) => sum + e.transferSize, 0) / 1000, all.length];
}"""


def first_page(say: Callable[..., None], url: str, *, most_ms: float, most_kb: float) -> None:
    """The median of some loads, each in a context of its own."""
    reason = lacking()
    if reason is not None:
        not_run("e2e", reason)
        return
    from tests.browser.chromium import chromium

    measured = []
    with chromium() as browser:
        # One more, in which the browser itself warms up.
        for _ in range(LOADS + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            page.goto(f"{url}/", wait_until="load")
            while not page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"):
                page.wait_for_timeout(10)
            measured.append(page.evaluate(_MEASURE))
            context.close()
    times, sizes, counts = zip(*measured[1:], strict=True)
    say("first page in Chromium, until it is loaded", percentile(times, 50), "ms", most=most_ms)
    say("first page in Chromium, sent", max(sizes), "kB", most=most_kb)
    print(f"    {max(counts)} files")
