"""API keys as admins make and see them, and what a caller is told about itself."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.instant import Instant
from shared.access.caller import Via
from shared.access.owner import DEFAULT_OWNER, MAX_OWNER_CHARS, OWNER
from shared.access.scopes import Scope
from shared.db.access.keys import MAX_NAME_CHARS
from shared.text import StorableText

OwnerName = Annotated[str, StringConstraints(max_length=MAX_OWNER_CHARS, pattern=f"^{OWNER}$")]
KeyName = Annotated[StorableText, StringConstraints(min_length=1, max_length=MAX_NAME_CHARS)]

_SCOPE = "What the key may do: `read`; `run`: also start, cancel and delete benchmarks and change other things; "
_SCOPE += "`admin`: also make and revoke keys, and see other owners. A larger scope includes the smaller ones."


class KeyIn(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: KeyName = Field(description="For people: who or what uses it.", examples=["nightly CI"])
    owner: OwnerName = Field(
        default=DEFAULT_OWNER,
        description="Team whose benchmarks, datasets and webhooks it reaches. A new name makes a new owner.",
        examples=["search-team"],
    )
    scope: Scope = Field(default="run", description=_SCOPE, examples=["run"])
    expires_at: Instant | None = Field(
        default=None,
        description="UTC instant from which on it is refused. Null: it does not expire.",
        examples=["2030-01-15T10:30:00Z"],
    )
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Requests a minute that it may make. Null: the server's default.", examples=[None]
    )
    concurrent_requests: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None,
        description="Requests that it may make at the same time. Null: the server's default.",
        examples=[None],
    )


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str = Field(description="Id of the key: the characters between `lbk_` and the next `_`.", examples=["ab12cd34"])
    name: str = Field(description="For people.", examples=["nightly CI"])
    owner: str = Field(description="Team that it belongs to.", examples=["search-team"])
    scope: Scope = Field(description=_SCOPE, examples=["run"])
    state: Literal["usable", "unknown", "expired", "revoked"] = Field(
        description="Whether it is accepted. `unknown`: it was made with a `SECRET_KEY` that is not set at this "
        "server, so it is refused until that one is set again.",
        examples=["usable"],
    )
    requests_per_minute: int | None = Field(
        description="Requests a minute that it may make. Null: the server's default.", examples=[None]
    )
    concurrent_requests: int | None = Field(
        description="Requests that it may make at the same time. Null: the server's default.", examples=[None]
    )
    created_by: str | None = Field(
        description="Id of the key that made it. Null: `llmbench keys bootstrap`, or nobody needed a key yet.",
        examples=["9f8e7d6c"],
    )
    created_at: datetime = Field(description="UTC instant when it was made.", examples=["2025-01-15T10:30:00Z"])
    expires_at: datetime | None = Field(
        description="UTC instant from which on it is refused. Null: it does not expire.", examples=[None]
    )
    last_used_at: datetime | None = Field(
        description="UTC instant of its last use, to the minute. Null: it was not used yet.", examples=[None]
    )
    revoked_at: datetime | None = Field(
        description="UTC instant when it was revoked. Null: it was not.", examples=[None]
    )


class KeyCreated(KeyOut):
    """A new key with its text, which is shown only once."""

    key: str = Field(
        description="The key, to be sent as `Authorization: Bearer`. Only a hash of it is stored; it is never shown "
        "again.",
        examples=["lbk_ab12cd34_0123456789abcdefghijklmnopqrstuv4aBcDe"],
    )
    notice: str | None = Field(
        description="What this key changes for everyone: with the first one, each request needs a key. Else null.",
        examples=[None],
    )


class KeyPage(BaseModel):
    """A page of keys, by owner and id."""

    items: list[KeyOut] = Field(description="The keys of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=[None]
    )


class WhoAmI(BaseModel):
    """Who the caller is, as far as the API knows."""

    owner: str = Field(description="Team whose things the caller reads and makes.", examples=["search-team"])
    scope: Scope = Field(description=_SCOPE, examples=["run"])
    via: Via = Field(
        description="How the API knows: `key`; `session`: a browser that logged in with a key; `local`: there are no "
        "keys, so everyone on this machine may do everything.",
        examples=["key"],
    )
    key_id: str | None = Field(description="Id of the key. Null without keys.", examples=["ab12cd34"])
    key_name: str | None = Field(description="Name of the key. Null without keys.", examples=["nightly CI"])
    expires_at: datetime | None = Field(
        description="UTC instant when the key expires. Null: it does not.", examples=[None]
    )
