"""From an empty product to a decision, as a reader goes: demo, live page, zoom, comparison, export, another run."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.judge import faults
from tests.browser.stack import Stack
from tests.browser.watched import tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

_SLOW = {"model": "sim-ttft150-gap5-n8-jit10", "prompts": ["Name a river.", "Name a lake."], "repetitions": 40}


def test_the_demo_is_followed_live_to_its_end(browser: "Browser", empty: Stack) -> None:
    with tab(browser, empty.url) as watched:
        page = watched.open("/")
        assert "Nothing has run yet" in page.locator("main").inner_text()
        assert faults(page) == []
        page.get_by_role("button", name="Run the demo").click()
        page.wait_for_url("**/ui/benchmarks/1*")
        _wait_for_status(page, "completed")
        page.locator("#figures figure").first.wait_for()


def test_a_running_benchmark_counts_on_and_turns_into_a_finished_one(browser: "Browser", empty: Stack) -> None:
    with tab(browser, empty.url) as watched:
        number = empty.run(wait=False, name="Live", concurrency=2, **_SLOW)
        page = watched.open(f"/ui/benchmarks/{number}")
        page.evaluate("() => { window.samePage = true }")
        watched.until("document.querySelector('#live progress')?.value >= 3")
        assert faults(page) == []
        _wait_for_status(page, "completed")
        page.locator("#figures figure").first.wait_for()
        assert page.evaluate("window.samePage") is True


def test_the_list_updates_its_rows_in_place_and_holds_new_ones_back(browser: "Browser", empty: Stack) -> None:
    empty.run(name="One", model="sim-ttft5-gap1-n4", prompts=["x"])
    with tab(browser, empty.url) as watched:
        page = watched.open("/ui/benchmarks")
        second = empty.run(name="Two", model="sim-ttft5-gap1-n4", prompts=["x"])
        link = page.get_by_role("link", name="1 new run")
        link.wait_for()
        assert page.locator(f"#run-{second}").count() == 0
        link.click()
        page.locator(f"#run-{second}").wait_for()


def test_a_chart_is_zoomed_into_and_its_url_shows_the_same(browser: "Browser", filled: Stack) -> None:
    with tab(browser, filled.url) as watched:
        page = watched.open(f"/ui/benchmarks/{filled.ids['steady']}")
        whole = _axis(page)
        _drag(page)
        watched.until(f"document.querySelector('#ttft-ecdf svg.chart').dataset.x0 != {whole[0]}")
        part = _axis(page)
        assert whole[0] < part[0] < part[1] < whole[1]
        assert "zoom.ttft-ecdf=" in page.url
        assert faults(page) == []
        page.reload()
        assert _axis(page) == part
        page.locator("#ttft-ecdf svg.chart").dblclick()
        watched.until(f"document.querySelector('#ttft-ecdf svg.chart').dataset.x0 == {whole[0]}")
        assert "zoom" not in page.url


def test_a_figure_has_its_data_as_a_table_and_as_csv(browser: "Browser", filled: Stack) -> None:
    with tab(browser, filled.url) as watched:
        page = watched.open(f"/ui/benchmarks/{filled.ids['steady']}")
        figure = page.locator("#ttft-ecdf")
        figure.locator("details.data > summary").click()
        assert figure.locator("table tbody tr").count() > 10
        text = _download(page, figure.get_by_role("link", name="CSV"))
        assert len(list(csv.reader(text.splitlines()))) > 10


def test_two_are_chosen_in_the_list_and_compared(browser: "Browser", filled: Stack) -> None:
    with tab(browser, filled.url) as watched:
        page = watched.open("/ui/benchmarks")
        for name in ("steady", "slower"):
            page.locator(f"#run-{filled.ids[name]} input[type=checkbox]").check()
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url("**/ui/compare?ids=*")
        assert page.locator("ul.verdicts li").count() > 2
        page.locator("svg.forest").wait_for()
        assert faults(page) == []


def test_a_benchmark_is_exported(browser: "Browser", filled: Stack) -> None:
    with tab(browser, filled.url) as watched:
        page = watched.open(f"/ui/benchmarks/{filled.ids['steady']}")
        text = _download(page, page.locator("a[href*='/export?format=csv']"))
        rows = list(csv.DictReader(text.splitlines()))
        assert len(rows) == 36
        assert all(float(row["ttft_ms"]) > 0 for row in rows)


def test_the_form_names_a_mistake_and_then_starts(browser: "Browser", empty: Stack) -> None:
    with tab(browser, empty.url) as watched:
        page = watched.open("/ui/benchmarks/new")
        page.locator("#f-model").fill("sim-ttft5-gap1-n4")
        page.get_by_role("button", name="Start").first.click()
        page.get_by_role("alert").wait_for()
        assert faults(page) == []
        watched.problems.clear()
        page.locator("#f-prompts").fill("Name a river.")
        page.get_by_role("button", name="Start").first.click()
        page.wait_for_url("**/ui/benchmarks/1*")
        _wait_for_status(page, "completed")


def _download(page: "Page", link: "Locator") -> str:
    with page.expect_download() as waiting:
        link.click()
    return Path(waiting.value.path()).read_text("utf-8-sig")


def _wait_for_status(page: "Page", status: str) -> None:
    page.locator("main header.page").get_by_text(status).first.wait_for(timeout=60_000)


def _axis(page: "Page") -> tuple[float, float]:
    data = page.locator("#ttft-ecdf svg.chart").evaluate("(svg) => [svg.dataset.x0, svg.dataset.x1]")
    return float(data[0]), float(data[1])


def _drag(page: "Page") -> None:
    """From a third to two thirds of the chart."""
    chart = page.locator("#ttft-ecdf svg.chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.4, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, height)
    page.mouse.move(box["x"] + box["width"] * 0.7, height)
    page.mouse.up()
