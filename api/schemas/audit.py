"""The audit log: who changed what, and when."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.instant import Instant
from shared.access.audit import MAX_TARGET_CHARS, Action, Kind
from shared.access.caller import Via
from shared.text import StorableText


class AuditFilters(BaseModel):
    """The filters of the log."""

    action: Action | None = Field(default=None, description="Only this action.", examples=["benchmark.deleted"])
    kind: Kind | None = Field(default=None, description="Only things of this kind.", examples=["benchmark"])
    target: Annotated[StorableText, Field(min_length=1, max_length=MAX_TARGET_CHARS)] | None = Field(
        default=None,
        description="Only the thing with this id or name; with `kind`, if several kinds have it.",
        examples=["7"],
    )
    key_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{8}$")] | None = Field(
        default=None, description="Only what was done with this key.", examples=["ab12cd34"]
    )
    since: Instant | None = Field(
        default=None,
        alias="from",
        description="Only entries at or after this instant, or from the beginning of this day in UTC.",
    )
    before: Instant | None = Field(
        default=None, alias="to", description="Only entries before this instant or day in UTC."
    )


class AuditQuery(AuditFilters):
    """Which entries to list."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=50, ge=1, le=200, description="Entries on a page.")


class AuditEntryOut(BaseModel):
    """One change. It stays when the thing is deleted, and when the key is revoked."""

    id: int = Field(description="Number of the entry: a later one has a larger number.", examples=[41])
    at: datetime = Field(description="UTC instant of the change.", examples=["2025-01-15T10:35:00Z"])
    owner: str = Field(description="Whose thing it is.", examples=["default"])
    action: Action = Field(description="What was done.", examples=["benchmark.deleted"])
    kind: Kind = Field(description="The kind of thing.", examples=["benchmark"])
    target: str = Field(description="Its id or its name.", examples=["7"])
    via: Via = Field(
        description="How it was asked for: with a `key`, in a `session` of the dashboard, `local` without any key, by "
        "the `cli` on the server itself, or by retention in a `worker`.",
        examples=["key"],
    )
    key_id: str | None = Field(description="The key that was used. Null without one.", examples=["ab12cd34"])
    request_id: str | None = Field(
        description="`X-Request-ID` of the request, as logs have it. Null if there was none.",
        examples=["6b1f0f0c8a4e4b7d"],
    )
    details: dict[str, Any] = Field(
        description="What is known of the change, such as the model of a benchmark. Never a secret, and no text of a "
        "prompt.",
        examples=[{"model": "claude-3-haiku-20240307", "provider": "anthropic", "status": "completed"}],
    )


class AuditPage(BaseModel):
    """A page of the log, newest first."""

    items: list[AuditEntryOut] = Field(description="The entries of this page.")
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=[None]
    )
