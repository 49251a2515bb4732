"""A request as curl: what was sent, with variables where secrets were."""

import json
import shlex
from typing import Any

import pytest

from api.pages.benchmark.as_curl import MOST_BYTES, as_curl
from api.schemas.target import TargetOut
from shared.benchmark.prompt import Parameters

TARGET: dict[str, Any] = {
    "protocol": "openai",
    "base_url": "https://api.example.com/v1",
    "path": "/v1/chat/completions",
    "query": {"api-version": "2024-10-21"},
    "headers": {
        "authorization": "[redacted]",
        "content-type": "application/json",
        "x-team": "it's $HOME",
        "host": "api.example.com",
        "x-stainless-os": "Linux",
    },
    "key_env": "EXAMPLE_API_KEY",
    "body": {"stream": True, "max_completion_tokens": 64, "temperature": 0.5, "ignore_eos": True},
    "extra_body": {"ignore_eos": True},
    "service_tier": None,
    "tls": {"verify": True},
    "transport": "socket",
    "proxy": False,
}
PARAMETERS = Parameters(max_tokens=64, temperature=0.2)


def words(text: str = "Say hello", **changes: Any) -> list[str]:
    target = TargetOut.model_validate(TARGET | changes)
    command = as_curl(target, "gpt", [{"role": "user", "content": text}], "Be brief", PARAMETERS)
    assert command is not None
    return shlex.split(command)


def test_the_body_is_that_of_the_request() -> None:
    found = words()
    body = json.loads(found[found.index("-d") + 1])
    assert body["messages"] == [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Say hello"}]
    # The endpoint's own names and fields; the prompt's own parameters.
    assert (body["model"], body["stream"], body["max_completion_tokens"]) == ("gpt", True, 64)
    assert (body["ignore_eos"], body["temperature"]) == (True, 0.2)
    assert "max_tokens" not in body
    assert found[2] == "https://api.example.com/v1/chat/completions?api-version=2024-10-21"


def test_keys_are_variables_and_everything_else_is_quoted() -> None:
    target = TargetOut.model_validate(TARGET)
    text = "`rm -rf /` $(id) ' \" \\ $HOME\n"
    command = as_curl(target, "gpt", [{"role": "user", "content": text}], None, PARAMETERS)
    assert command is not None
    assert '-H "authorization: Bearer $EXAMPLE_API_KEY"' in command
    assert "[redacted]" not in command
    found = shlex.split(command)
    assert json.loads(found[-1])["messages"][0]["content"] == text
    assert "x-team: it's $HOME" in found
    # The shell replaces nothing outside of single quotes but the key.
    outside = "".join(command.split("'")[::2])
    assert outside.count("$") == 1 or "$EXAMPLE_API_KEY" in outside
    assert not any(part.startswith(("host:", "x-stainless")) for part in found)


def test_other_secrets_have_names_of_their_own() -> None:
    changes = {
        "query": {"sig": "[redacted]", "a": "$HOME `id`"},
        "headers": {"x-gateway-key": "[redacted]"},
        "tls": {"verify": False},
    }
    found = words(**changes)
    assert found[2].endswith("?sig=$SIG&a=%24HOME%20%60id%60")
    assert "x-gateway-key: $X_GATEWAY_KEY" in found
    assert "--insecure" in found


def test_names_of_an_imported_target_are_no_commands() -> None:
    """Nothing that stands in double quotes comes from it, but names of variables."""
    hostile = '"; id; $(id) `id` "'
    changes = {
        "headers": {"authorization": "[redacted]", hostile: "[redacted]"},
        "key_env": f"A{hostile}",
        "query": {hostile: "[redacted]"},
    }
    target = TargetOut.model_validate(TARGET | changes)
    command = as_curl(target, "gpt", [{"role": "user", "content": "x"}], None, PARAMETERS)
    assert command is not None
    outside = "".join(command.split("'")[::2])
    assert "$(" not in outside
    assert "`" not in outside
    assert ";" not in outside
    assert "authorization: Bearer $AUTHORIZATION" in shlex.split(command)
    assert f"{hostile}: $ID_ID_ID" in shlex.split(command)


@pytest.mark.parametrize("changes", [{"protocol": "of another version"}, {"base_url": "http://[half"}])
def test_a_target_that_cannot_be_is_no_error(changes: dict[str, Any]) -> None:
    target = TargetOut.model_validate(TARGET | changes)
    assert as_curl(target, "gpt", [{"role": "user", "content": "x"}], None, PARAMETERS) is None


@pytest.mark.parametrize("protocol", ["anthropic", "openai", "openai_responses"])
def test_every_protocol_carries_its_prompt(protocol: str) -> None:
    from shared.protocols.registry import PROTOCOLS

    if protocol not in PROTOCOLS:
        protocol = next(name for name in PROTOCOLS if name not in ("anthropic", "openai"))
    found = words(protocol=protocol)
    assert "Say hello" in found[-1]
    assert "Be brief" in found[-1]


def test_a_prompt_that_fits_no_command_line_has_none() -> None:
    target = TargetOut.model_validate(TARGET)
    long = [{"role": "user", "content": "x" * MOST_BYTES}]
    assert as_curl(target, "gpt", long, None, PARAMETERS) is None
