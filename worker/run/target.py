"""What the requests of a run are sent to and with, as it is stored with the benchmark. It holds no secret."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.run_spec import RunSpec
from shared.protocols.base import Adapter
from shared.providers.endpoints import Endpoint
from shared.scrubber import MASK, Scrubber, looks_secret, without_secrets
from worker.engine.messages import SdkTarget, SocketTarget
from worker.engine.sdk_clients import sample_request

UNVERIFIED = "The server's certificate was not verified (tls.verify is false): another server may have answered."

# Fields of a body that the spec shows already, or that differ from request to request.
_OF_THE_PROMPT = ("model", "messages", "input", "system", "instructions")


async def target_document(
    endpoint: Endpoint,
    target: SocketTarget | SdkTarget,
    spec: RunSpec,
    adapter: Adapter,
    extra: ExtraFields,
    scrubber: Scrubber,
) -> dict[str, Any]:
    """The endpoint, URL, headers and body fields of a run's requests. `scrubber` knows the secrets of the endpoint."""
    url, headers = await _head(target)
    parts = urlsplit(url)
    plain = {name: value.text for name, value in endpoint.query.items()}
    body = extra.added_to(adapter.body(spec.model, [{"role": "user", "content": "x"}], None, spec.parameters))
    shown = _scrubbed(
        without_secrets({name: part for name, part in body.items() if name not in _OF_THE_PROMPT}), scrubber
    )
    return {
        "protocol": endpoint.protocol,
        "base_url": endpoint.base_url,
        "path": parts.path,
        "query": {
            name: MASK if plain.get(name, value) is None or looks_secret(name, value) else scrubber.mask_known(value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        },
        "headers": _shown(headers, endpoint, scrubber),
        "key_env": endpoint.api_key_env,
        "body": shown,
        "extra_body": _scrubbed(without_secrets(extra.merged), scrubber),
        "service_tier": shown.get("service_tier"),
        "tls": _tls(endpoint),
        "transport": "sdk" if isinstance(target, SdkTarget) else "socket",
        "proxy": isinstance(target, SdkTarget) and target.proxy is not None,
    }


def unverified(document: Mapping[str, Any]) -> bool:
    """Whether the target accepts any certificate."""
    return document["tls"] is not None and not document["tls"]["verify"]


async def _head(target: SocketTarget | SdkTarget) -> tuple[str, list[tuple[str, str]]]:
    """Path with query, and the headers, of each request."""
    if isinstance(target, SdkTarget):
        request = await sample_request(target)
        raw = [(name.decode().lower(), value.decode()) for name, value in request.headers.raw]
        return request.url.raw_path.decode(), [item for item in raw if item[0] != "content-length"]
    first, *lines = target.head.decode().removesuffix("\r\n").split("\r\n")
    headers = [line.partition(": ") for line in lines]
    return first.split(" ")[1], [(name.lower(), value) for name, _, value in headers]


def _shown(headers: Sequence[tuple[str, str]], endpoint: Endpoint, scrubber: Scrubber) -> dict[str, str]:
    configured = {name.lower(): value.shown(name) for name, value in endpoint.headers.items()}
    return {
        name: configured.get(name) or (MASK if looks_secret(name, value) else scrubber.scrub(value))
        for name, value in headers
    }


def _scrubbed(value: Any, scrubber: Scrubber) -> Any:
    if isinstance(value, dict):
        return {name: _scrubbed(part, scrubber) for name, part in value.items()}
    if isinstance(value, list):
        return [_scrubbed(part, scrubber) for part in value]
    return scrubber.mask_known(value) if isinstance(value, str) else value


def _tls(endpoint: Endpoint) -> dict[str, Any] | None:
    if not endpoint.base_url.startswith("https://"):
        return None
    return endpoint.tls.model_dump(mode="json") if endpoint.tls else {"verify": True}
