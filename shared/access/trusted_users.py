"""Which API key a person has whom a trusted proxy logged in: TRUSTED_USERS as a table."""

import json
import re
from collections.abc import Mapping

from shared.access.api_key import ID_CHARS

EVERYONE = "*"
_KEY_ID = re.compile(rf"[0-9a-z]{{{ID_CHARS}}}")
_DOMAIN = re.compile(r"\*@[^*@\s]+")


class TrustedUsers:
    """Names of people, `*@domain` or `*`, and the id of a key for each. Upper and lower case are the same."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        """Raises ValueError that says what is wrong."""
        self._keys: dict[str, str] = {}
        # The messages repeat nothing: somebody may have written a whole key.
        for number, (name, key_id) in enumerate((keys or {}).items(), 1):
            if not name or (EVERYONE in name and name != EVERYONE and not _DOMAIN.fullmatch(name)):
                raise ValueError(f"entry {number} is none of a name, `*@domain` and `*`")
            if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
                raise ValueError(f"entry {number} needs the id of a key: the {ID_CHARS} characters after `lbk_`")
            self._keys[name.casefold()] = key_id

    def key_id(self, user: str) -> str | None:
        """By the name itself, else by its domain, else by `*`. None: this person may not log in without a key."""
        name = user.casefold()
        domain = f"*@{name.rpartition('@')[2]}" if "@" in name else None
        return next((self._keys[item] for item in (name, domain, EVERYONE) if item in self._keys), None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrustedUsers) and self._keys == other._keys

    def __hash__(self) -> int:
        return hash(frozenset(self._keys.items()))


def parse_users(text: str) -> TrustedUsers:
    """From a JSON object. Raises ValueError."""
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("must be JSON") from None
    if not isinstance(document, dict):
        raise ValueError('must be an object such as {"*@example.com": "ab12cd34"}')
    return TrustedUsers(document)
