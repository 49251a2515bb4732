"""A benchmark from POST to its results, over API, database, Redis, worker and a real HTTP stream."""

from tests.support.service import Service


async def test_a_benchmark_gives_one_result_for_each_prompt(service: Service) -> None:
    done = await service.run(prompts=["one", "two", "three"], concurrency=2)
    assert done["status"] == "completed"
    assert [result["prompt"] for result in done["results"]] == ["one", "two", "three"]
    assert {result["outcome"] for result in done["results"]} == {"succeeded"}
    assert done["progress"]["done"] == done["progress"]["total"] == 3
