"""Provider keys, by the name of the variable that holds each."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from shared.providers.endpoints import Endpoint


class KeyRing:
    """Provider keys by the name of their variable: NAME, or a file named by NAME_FILE. Read each time, never kept."""

    def __init__(self, environment: Mapping[str, str | None]) -> None:
        self._environment = environment

    def get(self, endpoint: Endpoint) -> SecretStr | None:
        name = endpoint.api_key_env
        if name is None:
            return None
        value = self._environment.get(name)
        path = self._environment.get(f"{name}_FILE")
        if not value and path and Path(path).is_file():
            value = Path(path).read_text(encoding="utf-8").strip()
        return SecretStr(value) if value else None

    def can_use(self, endpoint: Endpoint) -> bool:
        """True if the endpoint needs no key or its key is here."""
        return endpoint.api_key_env is None or self.get(endpoint) is not None

    def secrets(self, endpoints: Iterable[Endpoint]) -> list[str]:
        """The keys of these endpoints as plain text, for a Scrubber."""
        return [key.get_secret_value() for endpoint in endpoints if (key := self.get(endpoint)) is not None]
