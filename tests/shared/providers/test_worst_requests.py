"""What the requests of a benchmark can cost at most at its endpoint."""

from typing import Any

from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.worst_case import AROUND_A_MESSAGE, AROUND_A_REQUEST, TOKENIZER_MARGIN, WorstCase
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceSnapshot
from shared.providers.worst_case import WorstPrice
from shared.providers.worst_requests import worst_case
from shared.workloads.loads import load_of

# A micro-dollar for each token of input, none for output.
PRICE = WorstPrice([PriceSnapshot({"input_usd_per_mtok": "1", "output_usd_per_mtok": "0"})])
AROUND = AROUND_A_REQUEST + 2 * AROUND_A_MESSAGE
ENDPOINT = Endpoint(name="own", protocol="openai", base_url="https://llm.example/v1", extra_body={"a": 1})


def worst(endpoint: Endpoint | None = None, **fields: Any) -> list[int] | None:
    given = {"name": "n", "model": "m", **({} if "workload" in fields else {"prompts": ["p" * 40]}), **fields}
    spec = BenchmarkSpec.model_validate(given).with_defaults()
    found = worst_case(PRICE, spec, load_of(spec).workload, endpoint)
    assert isinstance(found, WorstCase)
    return found.of_place(0)


def test_what_endpoint_and_benchmark_add_to_each_body_counts() -> None:
    assert worst() == [40 + AROUND]
    assert worst(ENDPOINT) == [40 + AROUND + len('{"a":1}')]
    assert worst(ENDPOINT, extra_body={"b": 2}) == [40 + AROUND + len('{"a":1,"b":2}')]


def test_a_tokenizer_that_is_named_counts_in_place_of_bytes() -> None:
    generated = {"source": "generated", "input_tokens": 100, "tokenizer": "o200k"}
    assert worst(workload=generated) == [AROUND + int(100 * TOKENIZER_MARGIN)]
    # The texts are then half as long by the tokenizer, and the provider counts as many tokens as before.
    assert worst(workload={**generated, "token_factor": 2.0}) == [AROUND + int(100 * TOKENIZER_MARGIN)]


def test_without_a_price_there_is_none() -> None:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["p"]}).with_defaults()
    assert worst_case(None, spec, load_of(spec).workload, None) is None
