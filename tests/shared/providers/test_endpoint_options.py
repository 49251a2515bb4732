"""What an operator may write into an endpoint: query, headers, key header, extra fields and TLS."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.providers.endpoints import Endpoint
from shared.providers.files import parse_endpoints, read_endpoints
from shared.providers.key_ring import KeyRing
from shared.scrubber import MASK

SECRET = "planted-secret-0123"


def endpoint_of(**fields: Any) -> Endpoint:
    return Endpoint.model_validate({"name": "x", "protocol": "openai", "base_url": "https://host.example/v1", **fields})


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"headers": {"Content-Length": "1"}}, "headers.Content-Length.[key]", "content-length is the engine's own"),
        ({"headers": {"host": "x"}}, "headers.host.[key]", "the engine's own"),
        ({"headers": {"Transfer-Encoding": "x"}}, "headers.Transfer-Encoding.[key]", "the engine's own"),
        ({"headers": {"connection": "close"}}, "headers.connection.[key]", "the engine's own"),
        ({"headers": {"Accept-Encoding": "gzip"}}, "headers.Accept-Encoding.[key]", "the engine's own"),
        ({"headers": {"X A": "x"}}, "headers.X A.[key]", "is not the name of a header"),
        ({"headers": {"": "x"}}, "headers..[key]", "is not the name of a header"),
        ({"headers": {"X-A\r\nX-B": "x"}}, "headers.X-A\r\nX-B.[key]", "is not the name of a header"),
        ({"headers": {"X-A": f"{SECRET}\r\nX-B: y"}}, "headers.X-A", "holds a line break"),
        ({"headers": {"X-A": f"{SECRET}é"}}, "headers.X-A", "a character that a header cannot carry"),
        ({"headers": {"X-A": " x"}}, "headers.X-A", "begins or ends with a space"),
        ({"headers": {"X-A": {"env": "A", "prefix": "a\nb "}}}, "headers.X-A", "holds a line break"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers", "names a header twice: x-a"),
        ({"headers": {"X-A": {"env": "1A"}}}, "headers.X-A.env", "match pattern"),
        ({"headers": {"X-A": {"name": SECRET}}}, "headers.X-A.name", "not permitted"),
        ({"headers": {"X-A": {"prefix": "x"}}}, "headers.X-A", 'must be a text, or {"env": "NAME"}'),
        ({"headers": {"X-A": 1.10}}, "headers.X-A", "must be written in quotes"),
        ({"query": {"": "x"}}, "query..[key]", "at least 1 character"),
        ({"query": {"a": None}}, "query.a", "valid dictionary"),
        ({"key_header": "Host", "api_key_env": "K"}, "key_header", "the engine's own"),
        ({"key_header": "api-key"}, "", "key_header needs a key"),
        (
            {"key_header": "api-key", "api_key_env": "K", "headers": {"Api-Key": "x"}},
            "",
            "key_header and headers name the same header",
        ),
        ({"extra_body": {"model": "x"}}, "extra_body.model", "`model` sets it"),
        ({"extra_body": {"stream": False}}, "extra_body.stream", "every answer is streamed"),
        ({"tls": {"client_key": "/k"}}, "tls", "client_key needs a client_cert"),
        ({"tls": {"ca_file": "/c", "verify": False}}, "tls", "ca_file has no effect when verify is false"),
        ({"tls": {"verify": "no"}}, "tls.verify", "valid boolean"),
        ({"tls": {"insecure": True}}, "tls.insecure", "not permitted"),
        ({"base_url": "http://h", "tls": {"verify": False}}, "", "tls is for https:// URLs"),
        ({"base_url": "https://h?api-version=1"}, "base_url", "put parameters into `query`"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(fields: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        endpoint_of(**fields)
    errors = {".".join(str(part) for part in error["loc"]): error["msg"] for error in caught.value.errors()}
    assert words in errors[place], errors
    assert SECRET not in str(caught.value)


def test_a_date_or_number_in_yaml_is_the_text_that_was_written() -> None:
    (item,) = parse_endpoints(
        """
        - name: azure
          protocol: openai
          base_url: https://r.openai.azure.com/openai/deployments/d
          query: {api-version: 2024-10-21, n: 1, flag: true}
          headers: {X-Priority: 3}
        """
    )
    endpoint = Endpoint.model_validate(item)
    assert endpoint.shown_query == {"api-version": "2024-10-21", "n": "1", "flag": "true"}
    assert endpoint.shown_headers == {"X-Priority": "3"}


def test_an_error_in_a_file_quotes_no_value(tmp_path: Path) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text(
        f'[{{name: x, protocol: openai, base_url: "https://h", headers: {{X-A: "{SECRET}\\n"}}}}]', encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"headers\.X-A: holds a line break") as caught:
        read_endpoints(path)
    assert SECRET not in str(caught.value)


WITH_SECRETS: dict[str, Any] = {
    "api_key_env": "KEY",
    "query": {"api-version": "1", "sig": {"env": "SIG"}, "key": "plain-key-in-query"},
    "headers": {"X-Team": "search", "X-Token": {"env": "TOKEN", "prefix": "Token "}, "Cookie": "session=abcdef"},
    "extra_body": {"user": "u", "api_key": "plain-key-in-body"},
}
VALUES = {"KEY": "value-of-key", "SIG": "value/of sig", "TOKEN": "value-of-token"}


def test_secrets_are_shown_masked() -> None:
    endpoint = endpoint_of(**WITH_SECRETS)
    assert endpoint.shown_query == {"api-version": "1", "sig": MASK, "key": MASK}
    assert endpoint.shown_headers == {"X-Team": "search", "X-Token": f"Token {MASK}", "Cookie": MASK}
    assert endpoint.variables == ("KEY", "SIG", "TOKEN")


def test_a_key_ring_knows_every_secret_of_an_endpoint() -> None:
    ring, endpoint = KeyRing(VALUES), endpoint_of(**WITH_SECRETS)
    assert ring.variables(endpoint) == {"SIG": "value/of sig", "TOKEN": "value-of-token"}
    assert set(ring.secrets([endpoint])) == {
        *VALUES.values(),
        "value%2Fof%20sig",
        "plain-key-in-query",
        "session=abcdef",
        "session%3Dabcdef",
        "plain-key-in-body",
    }


@pytest.mark.parametrize(
    ("environment", "problems"),
    [
        ({}, ["KEY is not set, nor KEY_FILE", "SIG is not set, nor SIG_FILE", "TOKEN is not set, nor TOKEN_FILE"]),
        ({**VALUES, "TOKEN": ""}, ["TOKEN is not set, nor TOKEN_FILE"]),
        ({**VALUES, "TOKEN": "a\nb"}, ["TOKEN holds a line break, which a header cannot carry"]),
        ({**VALUES, "KEY": "kéy"}, ["KEY holds a character that a header cannot carry"]),
        ({**VALUES, "SIG": "a\nb"}, []),
        (VALUES, []),
    ],
)
def test_a_missing_or_unfit_variable_is_named(environment: dict[str, str], problems: list[str]) -> None:
    ring, endpoint = KeyRing(environment), endpoint_of(**WITH_SECRETS)
    assert ring.problems(endpoint) == problems
    assert ring.can_use(endpoint) == (not problems)


def test_a_value_may_come_from_a_file_as_a_key_may(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("from-a-file\n", encoding="utf-8")
    ring = KeyRing({**VALUES, "TOKEN": None, "TOKEN_FILE": str(path)})
    assert ring.variables(endpoint_of(**WITH_SECRETS))["TOKEN"] == "from-a-file"
