"""Planted secrets, and where they were found. A canary is found in every form in which programs write it."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Canary:
    """A planted value. `allowed`: beginnings of the places that may have it."""

    name: str
    value: str
    allowed: tuple[str, ...] = ()

    def forms(self) -> set[bytes]:
        """As it is, in a URL, in JSON, in hexadecimal digits, and at each of the three places of base64."""
        data = self.value.encode()
        shifted = (base64.b64encode(b"\0" * pad + data).rstrip(b"=")[pad and 4 : -4] for pad in range(3))
        return {
            data,
            quote(self.value, safe="").encode(),
            json.dumps(self.value)[1:-1].encode(),
            data.hex().encode(),
            *(form for form in shifted if len(form) >= 12),
        }


@dataclass
class Search:
    """What is planted, and what the deployment left behind. All of it is looked through at the end."""

    canaries: list[Canary] = field(default_factory=list)
    kept: list[tuple[str, bytes]] = field(default_factory=list)

    def plant(self, name: str, value: str | None = None, *allowed: str) -> str:
        """The value, a new one unless it is given. `allowed`: beginnings of the places that may have it."""
        planted = f"canary-{name}-{secrets.token_hex(12)}" if value is None else value
        self.canaries.append(Canary(name, planted, allowed))
        return planted

    def keep(self, place: str, content: bytes | str) -> None:
        """Something to look through, and where it was."""
        self.kept.append((place, content.encode(errors="surrogateescape") if isinstance(content, str) else content))

    def found(self) -> set[tuple[str, str]]:
        """(canary, place) of each canary that is somewhere. Takes a second."""
        return {
            (canary.name, place)
            for canary in self.canaries
            for place, content in self.kept
            if any(form in content for form in canary.forms())
        }

    def leaks(self, found: set[tuple[str, str]]) -> list[str]:
        """Those that are where they must not be."""
        allowed = {canary.name: canary.allowed for canary in self.canaries}
        return [f"{name} in {place}" for name, place in sorted(found) if not place.startswith(allowed[name])]
