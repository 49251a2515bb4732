"""Who makes a request. Repositories that serve callers are made for one caller and reach only what it may see."""

from dataclasses import dataclass
from typing import Literal

from shared.access.owner import DEFAULT_OWNER
from shared.access.scopes import Scope, includes

# `local`: open access, without any key. `session`: a browser that logged in with a key. `cli`: a command with the
# database at hand. `worker`: retention.
Via = Literal["local", "key", "session", "cli", "worker"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner whose rows are read and written, and what may be done with them.

    `key_id`: the key that was used; None under open access. `sees_all`: an admin who asked for the rows of all owners:
    then reads are not bound to `owner`. `request_id`: for the audit log.
    """

    owner: str
    scope: Scope
    key_id: str | None = None
    via: Via = "key"
    sees_all: bool = False
    request_id: str | None = None

    def may(self, needed: Scope) -> bool:
        return includes(self.scope, needed)


# Everyone, under open access.
LOCAL = Caller(DEFAULT_OWNER, "admin", via="local")

# Whoever uses a route that is open to all: no row has this owner.
NOBODY = Caller("", "read")
