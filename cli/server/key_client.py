"""What `llmbench keys` and `whoami` ask of the API."""

from cli.server.answers import Json
from cli.server.client import Client


class KeyClient(Client):
    """The keys of the server at `url`."""

    def whoami(self) -> Json:
        return self._json("GET", "/whoami")

    def create(self, key: Json) -> Json:
        """The new key, with its text."""
        return self._json("POST", "/keys", body=key)

    def keys(self, limit: int, owner: str = "*") -> tuple[list[Json], bool]:
        """At most `limit` keys of an owner, or with `*` of all; and whether there are more."""
        return self._list("/keys", limit, {"owner": owner})

    def revoke(self, key_id: str) -> None:
        self._send("DELETE", f"/keys/{key_id}")
