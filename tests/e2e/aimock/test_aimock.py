"""Chat, Messages and Responses as a third party speaks them, with its faults: from its answers to the API's results."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.protocols.registry import PROTOCOLS, protocol_named
from shared.providers.endpoints import Endpoint
from tests.e2e.aimock.mock import installed_in, running_mock
from tests.support.service import running_service
from worker.engine.children import Children

TRANSPORTS = ("auto", "sdk")
# What each of its fixtures must become. A tuple: one of these. Its errors have other words in each protocol.
EXPECTED: dict[str, dict[str, Any]] = {
    "hello": {
        "outcome": "succeeded",
        "response": "Hello there, how are you?",
        "input_tokens": 9,
        "output_tokens": 7,
        "finish_reason": ("stop", "end_turn", "completed"),
    },
    "length": {
        "outcome": "succeeded",
        "response": "The sky is",
        "output_tokens": 3,
        # Its Responses do not say why they are incomplete.
        "finish_reason": ("length", "max_tokens", "incomplete"),
    },
    "reasoning": {"outcome": "succeeded", "response": "Four.", "reasoning": "Two and two."},
    "tool": {"outcome": "succeeded", "response": 'get_weather{"city":"Paris"}'},
    "disconnected": {"outcome": "truncated", "kind": "truncated", "phase": "mid_stream", "begins": "One t"},
    "broken-off": {"outcome": "truncated", "kind": "truncated", "phase": "mid_stream", "begins": "One "},
    "dropped": {"outcome": "errored", "kind": "server_error", "http_status": 500, "provider_code": "chaos_drop"},
    "malformed": {"outcome": "errored", "kind": "malformed_event", "phase": "before_first_token"},
    "reset": {"outcome": "errored", "kind": "connection_lost", "phase": "before_first_token"},
    "limited": {"outcome": "errored", "kind": "rate_limited", "http_status": 429, "retry_after_s": 1},
    "overloaded": {"outcome": "errored", "kind": "overloaded", "http_status": 529, "message": "Overloaded"},
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_in(tmp_path_factory.mktemp("aimock"))


@pytest.fixture
async def mock_url(program: Path, tmp_path: Path) -> AsyncIterator[str]:
    async with running_mock(program, tmp_path / "aimock.log") as url:
        yield url


@pytest.mark.heavy
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_third_partys_answers_and_faults_are_what_they_are(
    protocol: str,
    transport: Any,
    mock_url: str,
    sqlite_template: Path,
    tmp_path: Path,
    redis_url: str,
    children: Children,
) -> None:
    shutil.copy(sqlite_template, tmp_path / "test.db")
    base_url = f"{mock_url}{protocol_named(protocol).base_path}"
    endpoint = Endpoint(name="aimock", protocol=protocol, base_url=base_url, transport=transport)
    async with running_service(
        f"sqlite:///{tmp_path / 'test.db'}", redis_url, None, children=children, providers=(endpoint,)
    ) as service:
        document = await service.run(
            model="gpt-4o",
            provider="aimock",
            prompts=[f"case:{name}" for name in EXPECTED],
            concurrency=4,
            parameters={"max_tokens": 50},
        )
    results = {name: document["results"][index] for index, name in enumerate(EXPECTED)}
    found = {name: _found(results[name], expected) for name, expected in EXPECTED.items()}
    assert found == {name: _wanted(expected, found[name]) for name, expected in EXPECTED.items()}


def _found(result: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(result, name, value) for name, value in expected.items()}


def _value(result: dict[str, Any], name: str, expected: Any) -> Any:
    if name == "begins":
        return (result["response"] or "")[: len(expected)]
    error = result["error"] or {}
    return error.get(name) if name in error else result.get(name)


def _wanted(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Of several allowed values, the one that was found."""
    return {
        name: found[name] if isinstance(value, tuple) and found[name] in value else value
        for name, value in expected.items()
    }
