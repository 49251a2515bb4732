"""The rule of the address: without any key, the API starts only where nobody but this machine reaches it."""

from dataclasses import dataclass

from shared.errors import LlmBenchError
from shared.network.hosts import is_loopback


class NoKeys(LlmBenchError):
    """The API is bound to an address that others reach, and has no key."""

    code = "no_keys"


@dataclass(frozen=True, slots=True)
class Bound:
    """What the API is bound to, in words. `only_here`: only this machine can reach it."""

    to: str
    only_here: bool

    def require_keys(self) -> None:
        """For a database without any key. Raises NoKeys."""
        if not self.only_here:
            raise NoKeys(
                f"the API is bound to {self.to}, so others can reach it, and without an API key everyone could use it "
                "and spend money. Make a first key with `llmbench keys bootstrap`, with the same "
                "DATABASE_URL, and start again; or bind the API to 127.0.0.1"
            )


def bound_to_host(host: str, published_on: str | None) -> Bound:
    """`host`: what it listens on; empty: every address. `published_on`: the setting, which wins."""
    if published_on:
        return Bound(f"{published_on} (PUBLISHED_ON)", is_loopback(_bare(published_on)))
    return Bound(host or "every address", is_loopback(_bare(host)))


def _bare(host: str) -> str:
    return host.strip().removeprefix("[").removesuffix("]")
