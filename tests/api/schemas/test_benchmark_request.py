"""The body of a POST: flat JSON that becomes a spec and a webhook, with errors by the caller's own field names."""

from typing import Any

import httpx2
import pytest

from api.schemas.benchmark_request import EXAMPLES, BenchmarkBody
from shared.benchmark.load.plans import plan_of
from shared.benchmark.request import BenchmarkRequest
from shared.benchmark.spec import BenchmarkSpec
from tests.api.documents import EXAMPLE, problem

URL = "https://hooks.example.com/bench"
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def read(**changes: Any) -> BenchmarkRequest:
    return BenchmarkBody.model_validate({**EXAMPLE, **changes}).request()


def test_the_spec_is_the_one_of_the_same_fields_without_a_webhook() -> None:
    """Fields that the caller left out stay unset: their defaults depend on it."""
    spec = read(repetitions=2, webhook_url=URL).spec
    alone = BenchmarkSpec.model_validate({**EXAMPLE, "repetitions": 2})
    assert type(spec) is BenchmarkSpec
    assert spec == alone
    assert spec.model_fields_set == alone.model_fields_set
    assert spec.with_defaults() == alone.with_defaults()


def test_the_webhook_stands_beside_it() -> None:
    assert read().webhook is None
    webhook = read(webhook_url=URL, webhook_events=["benchmark.failed"], webhook_secret=SECRET).webhook
    assert webhook is not None
    assert (webhook.url, webhook.events) == (URL, ("benchmark.failed",))
    assert webhook.secret is not None
    assert webhook.secret.get_secret_value() == SECRET
    assert SECRET not in repr(webhook)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"prompts": ["a", "b", {"messages": [{"role": "user", "content": ""}]}]}, ["prompts[2].messages[0].content"]),
        ({"webhook_url": 7}, ["webhook_url"]),
        ({"webhook_url": URL, "webhook_events": ["benchmark.exploded"]}, ["webhook_events[0]"]),
        ({"webhook_url": URL, "webhook_events": []}, ["webhook_events"]),
        ({"webhook_url": URL, "webhook_secret": "hunter2"}, ["webhook_secret"]),
        ({"webhook_events": ["benchmark.failed"]}, ["body"]),
        ({"webhook_secret": SECRET}, ["body"]),
        ({"spec": {}, "webhook": {}}, ["spec", "webhook"]),
        ({"name": "", "webhook_url": 7}, ["name", "webhook_url"]),
    ],
)
async def test_a_wrong_field_is_named_as_the_caller_wrote_it(
    empty_api: httpx2.AsyncClient, changes: dict[str, Any], fields: list[str]
) -> None:
    response = await empty_api.post("/benchmarks", json={**EXAMPLE, **changes})
    assert [error["field"] for error in problem(response, 422)["errors"]] == fields
    assert "hunter2" not in response.text
    assert SECRET not in response.text


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_a_benchmark_that_could_run(name: str) -> None:
    spec = BenchmarkBody.model_validate(EXAMPLES[name]["value"]).with_defaults()
    assert plan_of(spec).next([]) is not None
