"""The secrets of endpoints, by the name of the variable that holds each: keys, and values of headers and queries."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr

from shared.providers.endpoints import Endpoint
from shared.providers.metrics_urls import MetricsUrl
from shared.providers.values import Value, unfit_for_a_header
from shared.scrubber import looks_secret, secrets_in


class KeyRing:
    """Values of variables: NAME, the file that NAME_FILE names, or the file NAME of a folder. Read anew each time."""

    def __init__(self, environment: Mapping[str, str | None], folder: Path | None = None) -> None:
        """`folder`: where Docker and Kubernetes mount secrets. The environment wins over it."""
        self._environment = environment
        self._folder = folder

    def get(self, endpoint: Endpoint) -> SecretStr | None:
        """The key of the endpoint; None if it needs none or the key is not here."""
        return None if endpoint.api_key_env is None else self._value(endpoint.api_key_env)

    def variables(self, endpoint: Endpoint) -> dict[str, str]:
        """The values of the variables that the endpoint names, without that of the key, as far as they are here."""
        names = {value.env for _, value in _named_values(endpoint)}
        found = {name: self._value(name) for name in names if name is not None}
        return {name: secret.get_secret_value() for name, secret in found.items() if secret is not None}

    def can_use(self, endpoint: Endpoint) -> bool:
        """True if every variable that the endpoint needs is here and fits into a request."""
        return not self.problems(endpoint)

    def problems(self, endpoint: Endpoint) -> list[str]:
        """What keeps this process from using the endpoint, each in words that name the variable."""
        headers = (endpoint.headers, *(url.headers for url in endpoint.metrics_urls))
        in_headers = {value.env for each in headers for value in each.values()} | {endpoint.api_key_env}
        problems = []
        for name in endpoint.variables:
            secret, unreadable = self._look(name)
            if secret is None:
                problems.append(unreadable or f"{name} is not set, nor {name}_FILE")
            elif name in in_headers and (unfit := unfit_for_a_header(secret.get_secret_value())):
                problems.append(f"{name} {unfit}")
        return problems

    def secrets(self, endpoints: Iterable[Endpoint]) -> list[str]:
        """The secrets of these endpoints as plain text, for a Scrubber."""
        found: list[str] = []
        for endpoint in endpoints:
            values = [self._value(name) for name in endpoint.variables]
            found += [value.get_secret_value() for value in values if value is not None]
            found += _plain_secrets(endpoint)
        # A server may quote the URL that it was asked for, in which a secret of the query is encoded.
        return list(dict.fromkeys([*found, *(quote(text, safe="") for text in found)]))

    def _value(self, name: str) -> SecretStr | None:
        return self._look(name)[0]

    def _look(self, name: str) -> tuple[SecretStr | None, str | None]:
        """The value, and what was wrong with the last file that cannot be read."""
        value, unreadable = self._environment.get(name), None
        for path in () if value else self._files(name):
            try:
                if not value and path.is_file():
                    value = path.read_text(encoding="utf-8").strip()
            except OSError as exc:
                unreadable = f"{name}: its file cannot be read ({exc.strerror})"
            except UnicodeDecodeError:
                unreadable = f"{name}: its file cannot be read (it is not in UTF-8)"
        return SecretStr(value) if value else None, unreadable

    def _files(self, name: str) -> Iterator[Path]:
        path = self._environment.get(f"{name}_FILE")
        if path:
            yield Path(path)
        if self._folder is not None and name.isidentifier():
            yield self._folder / name


def _named_values(endpoint: Endpoint) -> Iterator[tuple[str, Value]]:
    """The parameters and headers of its requests, and of those for its metrics."""
    parts: tuple[Endpoint | MetricsUrl, ...] = (endpoint, *endpoint.metrics_urls)
    for part in parts:
        yield from (*part.query.items(), *part.headers.items())


def _plain_secrets(endpoint: Endpoint) -> Iterator[str]:
    """Secrets that the configuration holds itself, although it should name variables."""
    for name, value in _named_values(endpoint):
        if value.text is not None and looks_secret(name, value.text):
            yield value.text
    for _, text in secrets_in(endpoint.extra_body):
        yield text
