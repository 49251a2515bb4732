"""The Prometheus endpoints that an operator may name."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.providers.endpoints import Endpoint
from shared.providers.key_ring import KeyRing
from shared.scrubber import MASK

SECRET = "planted-secret-0123"
WITH_SECRETS = {
    "url": "https://gpus.example/metrics",
    "query": {"format": "prometheus", "key": {"env": "METRICS_KEY"}},
    "headers": {"Authorization": {"env": "METRICS_TOKEN", "prefix": "Bearer "}},
}


def endpoint_of(*urls: Any) -> Endpoint:
    fields = {"name": "x", "protocol": "openai", "base_url": "http://h:8000/v1", "metrics_urls": list(urls)}
    return Endpoint.model_validate(fields)


def test_a_text_is_a_url_without_more() -> None:
    (url,) = endpoint_of("http://h:8000/metrics").metrics_urls
    assert url.request({}).url == "http://h:8000/metrics"
    assert url.shown() == {"url": "http://h:8000/metrics", "query": {}, "headers": {}}


def test_secrets_come_from_variables_and_are_shown_by_nothing() -> None:
    endpoint = endpoint_of(WITH_SECRETS)
    assert endpoint.variables == ("METRICS_KEY", "METRICS_TOKEN")
    (url,) = endpoint.metrics_urls
    request = url.request({"METRICS_KEY": "a b&c", "METRICS_TOKEN": SECRET})
    assert request.url == "https://gpus.example/metrics?format=prometheus&key=a%20b%26c"
    assert request.headers == (("Authorization", f"Bearer {SECRET}"),)
    assert url.shown()["query"] == {"format": "prometheus", "key": MASK}
    assert url.shown()["headers"] == {"Authorization": f"Bearer {MASK}"}


def test_a_worker_without_the_variables_says_which_are_missing_and_hides_those_it_has() -> None:
    endpoint = endpoint_of(WITH_SECRETS)
    assert KeyRing({"METRICS_KEY": "k"}).problems(endpoint) == ["METRICS_TOKEN is not set, nor METRICS_TOKEN_FILE"]
    ring = KeyRing({"METRICS_KEY": "k", "METRICS_TOKEN": SECRET})
    assert ring.can_use(endpoint)
    assert ring.variables(endpoint) == {"METRICS_KEY": "k", "METRICS_TOKEN": SECRET}
    assert SECRET in ring.secrets([endpoint])
    assert KeyRing({"METRICS_KEY": "k", "METRICS_TOKEN": "a\nb"}).problems(endpoint) == [
        "METRICS_TOKEN holds a line break, which a header cannot carry"
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://h/metrics", "must be an http:// or https:// URL"),
        ("/metrics", "must be an http:// or https:// URL"),
        ("http:///metrics", "must be an http:// or https:// URL"),
        ("http://h\r\nx: y/metrics", "must be an http:// or https:// URL"),
        ("http://me:secret@h/metrics", "must hold no credentials"),
        ("http://h/metrics?key=secret", "must hold no credentials"),
        ("http://h/a b", "must hold no credentials"),
        ("http://h:port/metrics", ""),
        ({"url": "http://h/metrics", "headers": {"Host": "x"}}, "the engine's own"),
        ({"url": "http://h/metrics", "token": "x"}, "not permitted"),
        ({"query": {}}, "Field required"),
        (7, "valid dictionary"),
    ],
)
def test_a_wrong_url_is_an_error_that_names_it_and_quotes_nothing(url: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        endpoint_of("http://h/metrics", url)
    assert caught.value.errors()[0]["loc"][:2] == ("metrics_urls", 1)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_there_are_at_most_sixteen() -> None:
    with pytest.raises(ValidationError, match="at most 16"):
        endpoint_of(*["http://h/metrics"] * 17)
