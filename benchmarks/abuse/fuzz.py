"""Requests that schemathesis makes up from the OpenAPI document, for as long as wanted, with and without API keys."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.clock import monotonic_ns

MODES = (schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE)
EXAMPLES = 25
# What an answer must keep to: the statuses, types, headers and schemas of the document.
CHECKS: Sequence[Any] = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
# Of the time, how much goes by before there is a key.
OPEN_SHARE = 0.25
MOST_VIOLATIONS = 20


class _Enough(Exception):
    """The time is up."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: `headers` are sent with every request."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    # Not asked for.
    without: tuple[tuple[str, str], ...] = ()


# A made-up first key would end open access.
EVERYONE = Asker("everyone, while there is no key", without=(("post", "/keys"),))


@dataclass(slots=True)
class Fuzzed:
    """Counts of the answers by who asked and by status, and answers that broke the document."""

    answers: dict[str, Counter[int]] = field(default_factory=dict)
    violations: dict[str, str] = field(default_factory=dict)

    def total(self) -> Counter[int]:
        return sum(self.answers.values(), Counter())

    def count(self, asker: Asker, operation: str, status: int, violation: str | None) -> None:
        self.answers.setdefault(asker.name, Counter())[status] += 1
        if violation is not None and len(self.violations) < MOST_VIOLATIONS:
            self.violations.setdefault(f"{operation} for {asker.name}: {status}", violation)


def fuzz(client: httpx2.Client, seconds: float) -> Fuzzed:
    """First as everyone while there is no key, then in turn as an admin, with a key that only reads, and as nobody."""
    fuzzed = Fuzzed()
    _ask_as(client, seconds * OPEN_SHARE, [EVERYONE], fuzzed)
    _ask_as(client, seconds * (1 - OPEN_SHARE), _with_keys(client), fuzzed)
    return fuzzed


def _with_keys(client: httpx2.Client) -> list[Asker]:
    admin = key_of(client, "admin", {})
    return [Asker("an admin", admin), Asker("a reader", key_of(client, "read", admin)), Asker("nobody")]


def key_of(client: httpx2.Client, scope: str, headers: Mapping[str, str]) -> dict[str, str]:
    """A new key as a header. `headers`: with that of an admin, once there is one."""
    answer = client.post("/keys", json={"name": scope, "scope": scope}, headers=headers)
    answer.raise_for_status()
    return {"authorization": f"Bearer {answer.json()['key']}"}


def _ask_as(client: httpx2.Client, seconds: float, askers: Sequence[Asker], fuzzed: Fuzzed) -> None:
    """Each round is another one."""
    document: dict[str, Any] = client.get("/openapi.json", headers=askers[0].headers).json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [(method, path) for path, methods in document["paths"].items() for method in methods]
    until_ns = monotonic_ns() + int(seconds * 1e9)
    try:
        while True:
            for method, path in operations:
                for asker in askers:
                    for mode in () if (method, path) in asker.without else MODES:
                        _round(client, schema[path][method.upper()], mode, asker, until_ns, fuzzed)
    except (_Enough, BaseExceptionGroup) as exc:
        if not isinstance(exc, _Enough) and exc.split(_Enough)[1] is not None:
            raise


def _round(
    client: httpx2.Client,
    operation: Any,
    mode: schemathesis.GenerationMode,
    asker: Asker,
    until_ns: int,
    fuzzed: Fuzzed,
) -> None:
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        # An operation without parameters is no finding.
        verbosity=Verbosity.quiet,
    )
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if monotonic_ns() > until_ns:
            raise _Enough
        try:
            with client.stream(**request_of(case, client, asker)) as response:
                # The events of a benchmark that nobody runs never end.
                ends = not response.headers.get("content-type", "").startswith("text/event-stream")
                if ends:
                    response.read()
        except (ValueError, httpx2.LocalProtocolError, httpx2.InvalidURL):
            # It cannot be written as HTTP.
            return
        name = f"{case.method.upper()} {case.path}"
        fuzzed.count(asker, name, response.status_code, violation(case, response) if ends else None)

    # An operation without parameters cannot be asked wrongly.
    with suppress(Unsatisfiable):
        ask()


def request_of(case: schemathesis.Case, client: httpx2.Client, asker: Asker) -> dict[str, Any]:
    """The case as arguments of a client, with the key of who asks in place of a made-up one."""
    request = case.as_transport_kwargs(base_url=str(client.base_url))
    made_up = dict(request.get("headers") or {})
    kept = {name: value for name, value in made_up.items() if name.lower() not in asker.headers}
    return {
        "method": request["method"],
        "url": request["url"],
        "params": request.get("params"),
        "headers": {**kept, **asker.headers},
        "content": request.get("data"),
        "json": request.get("json"),
    }


def violation(case: schemathesis.Case, response: Any) -> str | None:
    """How an answer breaks the document, in words; None if it keeps to it."""
    try:
        case.validate_response(response, checks=list(CHECKS))
    except FailureGroup as group:
        return "; ".join(_words(failure) for failure in group.exceptions)
    except Failure as failure:
        return _words(failure)
    return None


def _words(failure: BaseException) -> str:
    title = getattr(failure, "title", type(failure).__name__)
    return f"{title}: {str(getattr(failure, 'message', failure))[:300]}"
