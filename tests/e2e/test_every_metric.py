"""Each entry of the registry of metrics, from a run to everything that shows it."""

from pathlib import Path

from cli.render.distributions import distributions
from cli.render.results import result_lines
from shared.numbers.metrics import METRICS
from tests.api.documents import pages
from tests.support.service import Service

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text()


async def test_each_metric_of_the_registry_is_stored_sorted_summed_up_shown_and_documented(service: Service) -> None:
    """In an open loop, where no metric is missing."""
    done = await service.run(model="sim-ttft10-gap5-n6-think2", prompts=["one", "two", "three"], request_rate=100)
    results = done["results"]
    table = "\n".join(line.text for line in distributions(done["summary"], explain=True))
    header = result_lines(results)[0].text
    for name, metric in METRICS.items():
        if metric.stored:
            assert all(isinstance(result[name], int | float | None) for result in results), name
            assert metric.nullable or None not in [result[name] for result in results], name
        else:
            assert name not in results[0]
        if metric.sortable:
            for sort in (name, f"-{name}"):
                items = await pages(service.client, "/benchmarks/1/results", sort=sort, limit=2)
                values = [item[name] for item in items if item[name] is not None]
                assert len(items) == 3, sort
                assert values == sorted(values, reverse=sort.startswith("-")), sort
        else:
            response = await service.client.get("/benchmarks/1/results", params={"sort": name})
            assert response.status_code == 422, name
        if metric.distributed:
            known = [result[name] for result in results if result[name] is not None] if metric.stored else [0]
            assert (done["summary"][name]["count"] > 0) == bool(known), name
        else:
            assert name not in done["summary"]
        assert metric.row is None or metric.row in table, name
        assert metric.column is None or metric.column in header, name
        assert f"| `{name}` | {metric.unit} | {metric.definition} | {metric.null_when} |" in PAGE
