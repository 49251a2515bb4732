"""Callers are told in words what a text must look like."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from api.http.pattern_words import PATTERN_WORDS
from api.main import create_app
from shared.providers.key_ring import KeyRing
from tests.api.documents import EXAMPLE, problem
from tests.support.service import make_settings


def patterns_in(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield document["pattern"]
        document = list(document.values())
    if isinstance(document, list):
        for item in document:
            yield from patterns_in(item)


def test_every_pattern_of_the_document_has_words() -> None:
    app = create_app(make_settings("sqlite:///never-opened.db", "redis://127.0.0.1:1/0", None), KeyRing({}))
    found = set(patterns_in(app.openapi()))
    assert len(found) > 5
    assert found <= set(PATTERN_WORDS)


@pytest.mark.parametrize(
    ("method", "path", "asked", "message"),
    [
        ("POST", "/keys", {"json": {"name": "x", "owner": "No Owner"}}, "owner: must begin with a small letter"),
        ("DELETE", "/keys/lbk_ab12", {}, "key_id: must be the eight characters between lbk_ and the next _"),
        ("GET", "/audit?key_id=short", {}, "key_id: must be the eight characters between lbk_ and the next _"),
        ("PUT", "/budgets/owners/No/day", {"json": {"cap_usd": 1}}, "owner: must begin with a small letter"),
        ("GET", "/leaderboard?prompt_set=x", {}, "prompt_set: must be 64 digits from 0 to 9 and a to f"),
        ("GET", "/baselines/7", {}, "name: must begin with a small letter or a digit, have only those, . _ and -"),
        ("GET", "/benchmarks/1/curve?slo=x", {}, "slo[0]: must be METRIC:PERCENTILE:MOST_MS"),
        ("POST", "/benchmarks", {"json": {**EXAMPLE, "exclusive": "yes"}}, "exclusive: must be true or false"),
        ("POST", "/benchmarks", {"json": EXAMPLE, "headers": {"idempotency-key": "a b"}}, "Idempotency-Key: must have"),
    ],
)
async def test_a_text_of_the_wrong_form_is_answered_in_words(
    sqlite_api: httpx2.AsyncClient, method: str, path: str, asked: dict[str, Any], message: str
) -> None:
    detail = problem(await sqlite_api.request(method, path, **asked), 422)["detail"]
    assert message.lower() in detail.lower()
    assert "pattern" not in detail
    assert "[0-9" not in detail
