"""Requests that schemathesis makes up from the OpenAPI document, for as long as wanted."""

from collections import Counter
from contextlib import suppress
from typing import Any

import httpx2
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Unsatisfiable

from shared.clock import monotonic_ns

MODES = (schemathesis.GenerationMode.NEGATIVE, schemathesis.GenerationMode.POSITIVE)
EXAMPLES = 25


class _Enough(Exception):
    """The time is up."""


def fuzz(client: httpx2.Client, seconds: float) -> Counter[int]:
    """Counts of the answers by status. Each round is another one."""
    document: dict[str, Any] = client.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [(method, path) for path, methods in document["paths"].items() for method in methods]
    until_ns = monotonic_ns() + int(seconds * 1e9)
    answers: Counter[int] = Counter()
    try:
        while True:
            for method, path in operations:
                for mode in MODES:
                    _round(client, schema[path][method.upper()], mode, until_ns, answers)
    except (_Enough, BaseExceptionGroup) as exc:
        if not isinstance(exc, _Enough) and exc.split(_Enough)[1] is not None:
            raise
    return answers


def _round(
    client: httpx2.Client, operation: Any, mode: schemathesis.GenerationMode, until_ns: int, answers: Counter[int]
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
        request = case.as_transport_kwargs(base_url=str(client.base_url))
        try:
            with client.stream(
                request["method"],
                request["url"],
                params=request.get("params"),
                headers=request.get("headers"),
                content=request.get("data"),
                json=request.get("json"),
            ) as response:
                # The events of a benchmark that nobody runs never end.
                if not response.headers.get("content-type", "").startswith("text/event-stream"):
                    response.read()
        except (ValueError, httpx2.LocalProtocolError, httpx2.InvalidURL):
            # It cannot be written as HTTP.
            return
        answers[response.status_code] += 1

    # An operation without parameters cannot be asked wrongly.
    with suppress(Unsatisfiable):
        ask()
