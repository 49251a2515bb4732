"""The page of one benchmark: its states, its figures, its requests, and nothing hostile in it."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from api.pages.routes import benchmark as route
from api.pages.words.metrics import definition
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import of_record
from shared.benchmark.results.record import RequestError
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.tables.benchmarks import Benchmark
from tests.api.documents import submit
from tests.api.pages.html import Page, forbidden
from tests.shared.db.rows import AT, Tables, make_record
from worker.run.summary import Plan, summarize

HOSTILE = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script> {{ 7 * 7 }} \u202e=HYPERLINK(1)"
MESSAGE = f"refused {HOSTILE}"


async def shown(client: httpx2.AsyncClient, path: str = "/ui/benchmarks/1", status: int = 200, **query: Any) -> Page:
    answer = await client.get(path, params=query or None)
    assert answer.status_code == status, answer.text
    assert forbidden(answer.text) == []
    return Page(answer.text)


def records(count: int) -> list[Any]:
    """Every tenth fails."""
    made = []
    for number in range(count):
        sent = AT + timedelta(milliseconds=100 * number)
        changes: dict[str, Any] = {"scheduled_at": sent, "sent_at": sent, "ended_at": sent + timedelta(seconds=1)}
        if number % 10 == 9:
            error = RequestError("rate_limited", MESSAGE, "before_first_token", 429)
            changes |= {"outcome": "errored", "error": error, "ttft_ms": None, "latency_ms": None, "response": None}
        else:
            changes |= {
                "ttft_ms": 100.0 + number,
                "latency_ms": 900.0,
                "response": f"{number} {HOSTILE} {'long ' * 90}",
            }
        made.append(make_record(number, **changes))
    return made


async def ended(client: httpx2.AsyncClient, tables: Tables, count: int = 40, status: str = "completed") -> None:
    """A run of as many prompts, each with a text that wants to be markup."""
    await submit(client, name=f"Run {HOSTILE}", prompts=[f"prompt {number} {HOSTILE}" for number in range(count)])
    lease, results = await tables.claimed(), RunAggregate(4)
    made = records(count)
    await tables.results.record(lease, made)
    for record in made:
        results.add(of_record(record))
    summary = summarize(results, Plan(count, 4, None, interrupted=False, sent_in_vain=0))
    error = {"kind": "run_timeout", "message": "not ended within 5 s"} if status == "failed" else None
    await tables.leases.finish(lease, status, summary=summary, error=error)  # type: ignore[arg-type]


async def test_key_figures_have_count_interval_and_definition(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    page = await shown(api)
    summary = (await api.get("/benchmarks/1?include=none")).json()["summary"]
    low, high = summary["ttft_ms"]["p50_ci95"]
    assert f"n = 36 · 95 % {low:.0f} to {high:.0f} ms" in page.text
    assert definition("ttft_ms") in page.text
    assert "n = 40 · 95 % 4 to 23.1 %" in page.text
    assert "4 failed" in page.text
    titles = ("TTFT, median", "Latency, median", "Output tokens/s", "Cost per 1,000", "Errors")
    places = [page.text.index(title) for title in titles]
    assert places == sorted(places)


async def test_hostile_texts_are_texts(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    page = await shown(api)
    assert page.all("img") == []
    assert "{{ 7 * 7 }}" in page.text
    assert f"Run {HOSTILE}" in page.text
    assert MESSAGE in page.text
    assert "prompt 0 <img src=x" in page.text
    request = (await api.get("/benchmarks/1/results")).json()["items"][0]
    one = await shown(api, f"/ui/benchmarks/1/requests/{request['id']}")
    assert one.all("img") == []
    assert f"prompt 0 {HOSTILE}" in one.text
    assert f"0 {HOSTILE}" in one.text


async def test_the_page_answers_how_times_vary_with_the_prompt(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    page = await shown(api)
    assert "How do times vary with the length of prompt and answer?" in page.text
    assert page.text.count("This cannot be seen here: all requests have the same number of input tokens") == 1
    assert "cannot be seen against" not in page.text


async def test_figures_have_caption_table_and_csv(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    page = await shown(api)
    figures = [figure["id"] for figure in page.all("figure")]
    assert figures[:4] == ["ttft-ecdf", "latency-ecdf", "ttft-histogram", "latency-histogram"]
    assert {"over-time", "latency-over-time", "throughput", "lanes"} < set(figures)
    for name in figures:
        assert page.all("a", href=f"/benchmarks/1/charts/{name}.csv")
        assert (await api.get(f"/benchmarks/1/charts/{name}.csv")).status_code == 200
        assert page.all("h3", id=f"{name}-title")
        assert page.all("p", id=f"{name}-caption")


async def test_a_zoomed_figure_is_drawn_again_and_chooses_requests(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    answer = await api.get("/ui/benchmarks/1/figures/ttft-ecdf", params={"zoom.ttft-ecdf": "110..120"})
    figure = Page(answer.text)
    assert figure.all("figure")[0]["data-url"] == "/ui/benchmarks/1/figures/ttft-ecdf"
    assert figure.all("svg", data_x0="110", data_x1="120")
    table = await shown(api, "/ui/benchmarks/1/requests", **{"zoom.ttft-ecdf": "110..120"})
    # 119 belongs to a failed one.
    assert len([row for row in table.all("tr") if "data-row" in row]) == 10
    assert "Chosen in the charts: TTFT 110 to 120 ms" in table.text
    by_time = await shown(api, "/ui/benchmarks/1/requests", **{"zoom.lanes": "0.95..1.25"})
    assert len([row for row in by_time.all("tr") if "data-row" in row]) == 3
    by_tokens = await shown(api, "/ui/benchmarks/1/requests", **{"zoom.latency-by-input": "17.2..19.9"})
    assert len([row for row in by_tokens.all("tr") if "data-row" in row]) == 40
    part = await api.get("/ui/benchmarks/1/requests?zoom.ttft-ecdf=1..2&outcome=errored")
    assert part.headers["hx-replace-url"] == "/ui/benchmarks/1?zoom.ttft-ecdf=1..2&outcome=errored"
    nothing = await shown(api, "/ui/benchmarks/1/requests", **{"zoom.ttft-ecdf": "1..2"})
    assert "No request matches." in nothing.text
    assert nothing.all("a", href="/ui/benchmarks/1#requests")
    log = await api.get("/ui/benchmarks/1/figures/latency-ecdf", params={"scale.latency-ecdf": "log"})
    assert 'data-scale="log"' in log.text


async def test_requests_come_in_pages_filtered_and_sorted(
    api: httpx2.AsyncClient, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "PAGE", 15)
    await ended(api, tables)
    path, seen = "/ui/benchmarks/1?sort=-ttft_ms", []
    while True:
        page = await shown(api, path)
        seen += [link["href"] for link in page.all("a", title="Answer, timeline and curl")]
        following = page.all("a", rel="next")
        if not following:
            break
        path = following[0]["href"].partition("#")[0]
        part = await shown(api, following[0]["hx-get"])
        assert part.all("section", id="requests")
        assert not part.all("html")
    assert (len(seen), len(set(seen))) == (40, 40)
    failed = await shown(api, outcome="errored")
    assert len([row for row in failed.all("tr") if "data-row" in row]) == 4


async def test_one_request_has_its_numbers_and_belongs_to_its_benchmark(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await ended(api, tables)
    await submit(api, name="other")
    items = (await api.get("/benchmarks/1/results")).json()["items"]
    page = await shown(api, f"/ui/benchmarks/1/requests/{items[9]['id']}")
    assert MESSAGE in page.text
    assert "HTTP 429" in page.text
    assert definition("queue_ms") in page.text
    await shown(api, f"/ui/benchmarks/2/requests/{items[9]['id']}", 404)
    await shown(api, "/ui/benchmarks/1/requests/999999", 404)
    await shown(api, "/ui/benchmarks/77", 404)


async def test_an_exclusive_benchmark_shows_so_and_says_what_it_waits_for(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await submit(api, exclusive=True)
    page = await shown(api)
    assert "pending · exclusive ·" in page.text
    assert "It waits. It is exclusive, so it waits for a worker that runs nothing else." in page.text


async def test_a_pending_benchmark_says_why_it_waits(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    page = await shown(api)
    assert "It waits for a worker to begin." in page.text
    assert "it has not begun" in page.text
    assert page.all("form", action="/ui/benchmarks/1/cancel")
    async with tables.database.write() as session:
        why = {"kind": "missing_key", "message": "no worker has the key of endpoint anthropic"}
        await session.execute(update(Benchmark).values(unclaimable=why))
    assert "No worker can run this benchmark now: no worker has the key" in (await shown(api)).text


async def test_a_running_benchmark_has_its_live_part_and_the_numbers_so_far(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await submit(api, prompts=[f"prompt {number}" for number in range(40)])
    await tables.results.record(await tables.claimed(), records(10))
    page = await shown(api)
    assert page.all("section", id="live")
    assert {"ttft-ecdf", "lanes"} < {figure["id"] for figure in page.all("figure")}
    assert "1 failed" in page.text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("failed", "It failed: Not ended within 5 s. Run it again with a longer `max_duration_s`"),
        ("cancelled", "It was cancelled after 40 of 40 requests."),
    ],
)
async def test_how_it_ended_is_said_with_what_to_do(
    api: httpx2.AsyncClient, tables: Tables, status: str, words: str
) -> None:
    await ended(api, tables, status=status)
    assert words in (await shown(api)).text


@pytest.mark.parametrize("count", [0, 1])
async def test_few_results_are_a_page_too(api: httpx2.AsyncClient, tables: Tables, count: int) -> None:
    await submit(api)
    lease = await tables.claimed()
    if count:
        await tables.results.record(lease, records(1))
    await tables.leases.finish(lease, "cancelled", summary=None, error=None)
    page = await shown(api)
    assert ("There is nothing to draw" in page.text) is not bool(count)
    assert len([row for row in page.all("tr") if "data-row" in row]) == count


async def test_deleted_texts_are_gone_from_the_page(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables)
    await shown(api)
    retention, after = RetentionRepository(tables.database), 0
    while (following := await retention.delete_texts_step(1, after)) is not None:
        after = following
    page = await shown(api)
    assert "Its texts were deleted" in page.text
    assert "onerror" not in page.text
    items = (await api.get("/benchmarks/1/results")).json()["items"]
    one = await shown(api, f"/ui/benchmarks/1/requests/{items[9]['id']}")
    assert "Prompt and answer were deleted" in one.text
    assert "onerror" not in one.text


async def test_charts_of_many_results_come_after_the_page(
    api: httpx2.AsyncClient, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "QUICK", 10)
    await ended(api, tables)
    page = await shown(api)
    (later,) = page.all("section", id="figures")
    assert (later["hx-get"], later["hx-trigger"]) == ("/ui/benchmarks/1/figures", "load")
    assert page.all("figure") == []
    # Without scripts, a link waits for them.
    assert (await shown(api, "/ui/benchmarks/1?figures=now")).all("figure")
    assert (await shown(api, later["hx-get"])).all("figure")
    # They are kept now.
    assert (await shown(api)).all("figure")


@pytest.mark.heavy
async def test_a_page_stays_small(api: httpx2.AsyncClient, tables: Tables) -> None:
    await ended(api, tables, 2_500)
    answer = await api.get("/ui/benchmarks/1")
    assert len(answer.content) < 320_000
