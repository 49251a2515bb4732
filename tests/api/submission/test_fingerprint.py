"""Which POSTs are the same request."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from api.schemas.benchmark_request import BenchmarkBody
from api.submission.fingerprint import of_request, of_rerun, old_of_request
from shared.benchmark.request import BenchmarkRequest

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SHORT: dict[str, Any] = {"name": "n", "model": "m", "prompts": ["x"]}
TOLD: dict[str, Any] = {**SHORT, "webhook_url": "https://hooks.example.com/bench"}
LONG: dict[str, Any] = {
    "name": " a ",
    "model": "gpt-4o-mini",
    "provider": "openai",
    "system": "s",
    "prompts": ["x", {"messages": [{"role": "user", "content": "y"}], "parameters": {"max_tokens": 20}}],
    "parameters": {"max_tokens": 200, "temperature": 0, "stop": ["a", "b"]},
    "repetitions": 25,
    "warmup": 2,
    "concurrency": 8,
    "timeouts": {"ttft_s": 20, "total_s": 60},
    "metadata": {"team": "search", "b": [1, None, {"c": 2.5}]},
}
RATE: dict[str, Any] = {
    **SHORT,
    "request_rate": 5,
    "arrival": "poisson",
    "arrival_seed": 7,
    "max_duration_s": 60,
    "on_interrupt": "fail",
}
SIGNED: dict[str, Any] = {
    **TOLD,
    "webhook_events": ["benchmark.completed", "benchmark.failed"],
    "webhook_secret": SECRET,
}


def request(body: dict[str, Any]) -> BenchmarkRequest:
    return BenchmarkBody.model_validate(body).request()


@pytest.mark.parametrize(
    ("body", "fingerprint"),
    [
        (SHORT, "1ac6a8f57c45c30c6d44eddafa7e33f9bad02c2b973a1a0788a26b848f962fbf"),
        (LONG, "da1d27c5df7a8587b22ac8c033aaabdbbd311c2f5a20dd9a681b254ee6e360c6"),
        (RATE, "966967f563413d00b0f72faf06e5a518bef6077faec0b97e03e75fa9c59c0fce"),
        (TOLD, "d0ae43181a19c1c6d8dae6b7a09453c267f3bf95057023125bbbfc28625ee386"),
        (SIGNED, "8477247c198fa02a054f2815c38f6ed9fd831e148b8996544360bc44eb8aa1fb"),
    ],
)
def test_the_fingerprint_of_a_request_is_the_same_in_every_version(body: dict[str, Any], fingerprint: str) -> None:
    """A new field or another default must change none of these: keys that are already stored would be refused."""
    assert of_request(request(body)) == fingerprint


@pytest.mark.parametrize(
    ("body", "fingerprint"),
    [
        (SHORT, "753336d1a4ab395704974aebed68f299d8daf5e1dd05842ef4cc6a4990f524fa"),
        (LONG, "1151350014f969c995049f3a5e02ce1753bea2b5478cf05ff89d00a73dc5b2a8"),
        (RATE, "e7f7452099ae7f28ba6eec36f9b7421d3d062260187e199a79ca3a809f5ff054"),
        (TOLD, "762a91e5c387453d56222665cb64663f2b28eec0533e57780e0c2c9b30acddeb"),
        (SIGNED, "32f2db8d292b4b0b1f429ec476849e653395160e3e077fb5d4d86e6fbf29cfe4"),
    ],
)
def test_a_fingerprint_over_the_defaults_is_computed_as_older_versions_did(
    body: dict[str, Any], fingerprint: str
) -> None:
    """These were printed by the version before."""
    assert old_of_request(request(body)) == fingerprint


def test_a_rerun_has_a_fingerprint_of_its_own() -> None:
    assert of_rerun(7) != of_rerun(8)


def test_fields_in_another_order_are_the_same_request() -> None:
    assert of_request(request(dict(reversed(list(LONG.items()))))) == of_request(request(LONG))


def test_a_text_and_its_long_form_are_the_same_prompt() -> None:
    long_form = {**SHORT, "prompts": [{"messages": [{"role": "user", "content": "x"}]}]}
    assert of_request(request(long_form)) == of_request(request(SHORT))


@pytest.mark.parametrize(
    "change",
    [
        {"repetitions": 24},
        {"warmup_prefix": False},
        {"concurrency": 1},
        {"prompts": ["y", "x"]},
        {"parameters": {"max_tokens": 201}},
        {"metadata": {}},
        {"webhook_url": "https://hooks.example.com/other"},
        {"webhook_url": "https://hooks.example.com/bench", "webhook_events": ["benchmark.failed"]},
        {"webhook_url": "https://hooks.example.com/bench", "webhook_secret": SECRET},
    ],
)
def test_another_value_is_another_request(change: dict[str, Any]) -> None:
    told = {**LONG, "webhook_url": "https://hooks.example.com/bench"}
    assert of_request(request({**told, **change})) != of_request(request(told))


@pytest.mark.parametrize("fingerprint", [of_request, old_of_request])
def test_a_fingerprint_needs_little_memory_beside_the_request(
    fingerprint: Callable[[BenchmarkRequest], str | None],
) -> None:
    large = request({**SHORT, "prompts": ["x" * 10_000] * 1_000})
    tracemalloc.start()
    fingerprint(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
