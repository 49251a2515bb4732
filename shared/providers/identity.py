"""Who an endpoint is. A benchmark carries this from the submit on, and only workers that hold the same endpoint run it.

Two processes can use one name for different servers, so workers compare fingerprints. No secret is part of one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.providers.endpoints import Endpoint
from shared.scrubber import without_secrets

FINGERPRINT_CHARS = 32
# The end of the key of a benchmark that only workers with load plans can run.
LOADS = "+load"
# Likewise of one that only workers can run that know owners, budgets and exclusive runs.
OWNED = "+owned"


@dataclass(frozen=True, slots=True)
class EndpointIdentity:
    """`fingerprint` covers all that decides what is measured; two endpoints with the same one are the same.

    `stack`: the `llmbench run` that it belongs to. Nobody else runs its benchmarks.
    """

    name: str
    protocol: str
    base_url: str
    fingerprint: str
    stack: str | None = None

    @property
    def key(self) -> str:
        """What workers compare."""
        return self.fingerprint if self.stack is None else f"{self.fingerprint}@{self.stack}"

    def key_for(self, *, loads: bool, owned: bool) -> str:
        """The key of a benchmark. Workers of versions before do not know a key with an ending, so they leave it alone.

        `loads`: only for workers that know `load`, `workload` and `slos`; others would measure something else.
        `owned`: only for workers that know owners, budgets and exclusive runs. Others would tell each webhook of a
        benchmark that is not its owner's, and spend more than a budget allows.
        """
        return f"{self.key}{OWNED if owned else ''}{LOADS if loads else ''}"

    def document(self) -> dict[str, str]:
        """As it is stored and shown."""
        return {
            "name": self.name,
            "protocol": self.protocol,
            "base_url": self.base_url,
            "fingerprint": self.fingerprint,
        }


class Identities:
    """Makes the identities of the endpoints that one process has."""

    def __init__(self, *, stack: str | None = None, known_as: tuple[str, str] | None = None) -> None:
        """`known_as`: (URL, name) of a server whose port changes; the name replaces that beginning of base URLs."""
        self._stack = stack
        self._known_as = known_as
        self._made: dict[Endpoint, EndpointIdentity] = {}

    def of(self, endpoint: Endpoint) -> EndpointIdentity:
        if endpoint not in self._made:
            fingerprint = _fingerprint(endpoint, self._place(endpoint.base_url))
            self._made[endpoint] = EndpointIdentity(
                endpoint.name, endpoint.protocol, endpoint.base_url, fingerprint, self._stack
            )
        return self._made[endpoint]

    def _place(self, base_url: str) -> str:
        if self._known_as is None:
            return base_url
        url, name = self._known_as[0].rstrip("/"), self._known_as[1]
        return f"{name}{base_url.removeprefix(url)}" if f"{base_url}/".startswith(f"{url}/") else base_url


@dataclass(frozen=True, slots=True)
class HeldEndpoint:
    """An endpoint that a worker has. `problems`: what keeps the worker from using it, in words; `kind` for programs.

    `max_streams`: how many it allows over all workers; None: any number.
    """

    identity: EndpointIdentity
    kind: str | None = None
    problems: Sequence[str] = ()
    max_streams: int | None = None

    @property
    def usable(self) -> bool:
        return not self.problems

    def document(self) -> dict[str, Any]:
        """As a worker reports it."""
        return {
            **self.identity.document(),
            "key": self.identity.key,
            "loads": True,
            "owned": True,
            "max_streams": self.max_streams,
            "kind": self.kind,
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a worker may claim: benchmarks of these endpoints.

    `keys`: of the endpoints that it can use. `names`: their names, for benchmarks of versions that stored no identity.
    `ceilings`: the most streams of those that have a bound, by fingerprint.
    """

    keys: Sequence[str] = field(default=())
    names: Sequence[str] = field(default=())
    ceilings: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, held: Sequence[HeldEndpoint]) -> "Holdings":
        usable = [item.identity for item in held if item.usable]
        endings = [(loads, owned) for owned in (False, True) for loads in (False, True)]
        keys = [item.key_for(loads=loads, owned=owned) for item in usable for loads, owned in endings]
        bounded = {item.identity.fingerprint: item.max_streams for item in held if item.max_streams is not None}
        return cls(keys, [item.name for item in usable], bounded)


def _fingerprint(endpoint: Endpoint, place: str) -> str:
    """Prices and the name of the key's variable are not part of it: they do not change what the server gets.

    Defaults are left out, so that a new version with a new option knows the endpoint again.
    """
    parts = {
        "name": endpoint.name,
        "protocol": endpoint.protocol,
        "place": place,
        "options": endpoint.options.model_dump(mode="json", exclude_defaults=True),
        "query": endpoint.shown_query,
        "headers": {name.lower(): value for name, value in endpoint.shown_headers.items()},
        "has_key": endpoint.api_key_env is not None,
        "key_header": endpoint.key_header.lower() if endpoint.key_header else None,
        "extra_body": without_secrets(endpoint.extra_body),
        "tls": endpoint.tls.model_dump(mode="json", exclude_defaults=True) if endpoint.tls else None,
        "transport": None if endpoint.transport == "auto" else endpoint.transport,
    }
    told = {name: part for name, part in parts.items() if part}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:FINGERPRINT_CHARS]
