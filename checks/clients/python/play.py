"""Uses the API through the client that openapi-python-client makes: submit, poll, page, filter, cancel, errors.

`checks.clients` runs it with the generated package `llmbench_client` beside it, in an environment of its own.
"""

import sys
import time  # noqa: TID251 - a caller's program, not one of ours
from typing import TypeVar

from llmbench_client import Client
from llmbench_client.api.benchmarks import cancel_benchmark, get_benchmark, list_benchmarks, list_results
from llmbench_client.api.benchmarks import submit_benchmark as submit
from llmbench_client.models import (
    BenchmarkOut,
    BenchmarkPage,
    BenchmarkRequest,
    BenchmarkRequestMetadata,
    GetBenchmarkIncludeItem,
    ListBenchmarksStatusType0,
    ListResultsIncludeItem,
    ListResultsSort,
    Message,
    MessageRole,
    Problem,
    Prompt,
    ResultPage,
)
from llmbench_client.types import UNSET

Answer = TypeVar("Answer")
ENDED = ("completed", "failed", "cancelled")


def check(condition: bool, what: str) -> None:
    if not condition:
        raise SystemExit(f"Python client: {what}")


def expected(kind: type[Answer], answer: object) -> Answer:
    if not isinstance(answer, kind):
        raise SystemExit(f"Python client: {answer} instead of a {kind.__name__}")
    return answer


def status_at_end(client: Client, number: int) -> str:
    for _ in range(600):
        benchmark = expected(
            BenchmarkOut, get_benchmark.sync(number, client=client, include=[GetBenchmarkIncludeItem.NONE])
        )
        if benchmark.status in ENDED:
            return str(benchmark.status)
        time.sleep(0.1)
    raise SystemExit(f"Python client: benchmark {number} has not ended")


def play(client: Client) -> None:
    metadata = BenchmarkRequestMetadata()
    metadata["client"] = "python"
    two = Prompt(messages=[Message(role=MessageRole.USER, content="two")])
    body = BenchmarkRequest(
        name="Python", model="sim-ttft5-gap1-n4", prompts=["one", two], repetitions=2, metadata=metadata
    )
    answer = submit.sync_detailed(client=client, body=body, idempotency_key="python-client")
    submitted = expected(BenchmarkOut, answer.parsed)
    check(answer.status_code == 202, f"submit answered {answer.status_code}")
    check(answer.headers["location"] == f"/benchmarks/{submitted.id}", "no Location")
    check(status_at_end(client, submitted.id) == "completed", "the benchmark did not complete")

    found: list[float] = []
    cursor = UNSET
    while cursor is not None:
        page = expected(
            ResultPage,
            list_results.sync(
                submitted.id,
                client=client,
                sort=ListResultsSort("-ttft_ms"),
                include=[ListResultsIncludeItem.TIMELINE],
                limit=3,
                cursor=cursor,
            ),
        )
        check(all(result.timeline for result in page.items), "a result has no timeline")
        found += [result.ttft_ms or 0.0 for result in page.items]
        cursor = page.next_cursor
    check(len(found) == 4, f"{len(found)} results instead of 4")
    check(found == sorted(found, reverse=True), "results are not sorted")

    listed = expected(
        BenchmarkPage,
        list_benchmarks.sync(client=client, metadata=["client:python"], status=ListBenchmarksStatusType0.COMPLETED),
    )
    check([item.id for item in listed.items] == [submitted.id], "the metadata filter found another")

    endless = expected(
        BenchmarkOut,
        submit.sync(
            client=client, body=BenchmarkRequest(name="Endless", model="sim-ttft5-gap5-endless", prompts=["x"])
        ),
    )
    cancel_benchmark.sync(endless.id, client=client)
    check(status_at_end(client, endless.id) == "cancelled", "the benchmark was not cancelled")

    refused = expected(Problem, submit.sync(client=client, body=BenchmarkRequest(name="", model="sim", prompts=["x"])))
    check((refused.status, refused.errors[0].field) == (422, "name"), "the problem does not name the field")
    nothing = expected(Problem, get_benchmark.sync(999_999, client=client))
    check(nothing.code == "not_found", "an unknown id is not `not_found`")


if __name__ == "__main__":
    play(Client(base_url=sys.argv[1]))
    sys.stdout.write("Python client: submit, poll, page, filter, cancel and errors work\n")
