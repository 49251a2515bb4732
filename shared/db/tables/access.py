"""The tables of access: owners, their keys, the sessions of browsers, and who did what."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from shared.access.api_key import ID_CHARS
from shared.access.audit import MAX_TARGET_CHARS
from shared.access.owner import MAX_OWNER_CHARS
from shared.access.scopes import SCOPES, Scope
from shared.db.tables.base import Base, one_of
from shared.db.tables.types import BigKey, JsonDocument, UtcDateTime

OWNER = String(MAX_OWNER_CHARS)
KEY_ID = String(ID_CHARS)


class OwnerRow(Base):
    """A team. Its row is made with its first key; that of `default` is made by the migration."""

    __tablename__ = "owners"

    name: Mapped[str] = mapped_column(OWNER, primary_key=True)
    # Of the owners with waiting benchmarks, the one with the lowest turn is served next.
    turn: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ApiKey(Base):
    """A key of the API. Only a hash of its secret is stored."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(one_of("scope", SCOPES), name="scope"),
        Index("ix_api_keys_owner_id", "owner", "id"),
    )

    id: Mapped[str] = mapped_column(KEY_ID, primary_key=True)
    owner: Mapped[str] = mapped_column(OWNER)
    name: Mapped[str] = mapped_column(Text)
    scope: Mapped[Scope] = mapped_column(String(8))
    # Of the secret, in hexadecimal digits: HMAC-SHA-256 with SECRET_KEY, or SHA-256 if none was set.
    hash: Mapped[str] = mapped_column(String(64))
    hashed_with: Mapped[str] = mapped_column(String(16))
    # None: the settings decide.
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    concurrent_requests: Mapped[int | None] = mapped_column(Integer)
    # The key that made it; None: the command line, or open access.
    created_by: Mapped[str | None] = mapped_column(KEY_ID)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Written at most once a minute.
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Session(Base):
    """A browser that logged in with a key. It ends with the key."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_key_id", "key_id"),)

    # SHA-256 of the cookie, in hexadecimal digits.
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(KEY_ID)
    # The owner whose rows an admin looks at; `*`: all. None: the key's own.
    looks_at: Mapped[str | None] = mapped_column(OWNER)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AuditEntry(Base):
    """Who did what, and when. It stays when the thing is deleted, so it has no foreign keys."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_owner_id", "owner", "id"),
        Index("ix_audit_log_target", "target_kind", "target_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # Whose thing it is.
    owner: Mapped[str] = mapped_column(OWNER)
    # The key that was used; None: open access or the command line (`via` says which).
    key_id: Mapped[str | None] = mapped_column(KEY_ID)
    via: Mapped[str] = mapped_column(String(8))
    action: Mapped[str] = mapped_column(String(40))
    target_kind: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[str] = mapped_column(String(MAX_TARGET_CHARS))
    # Never a secret, and no text of a prompt.
    details: Mapped[dict[str, Any]] = mapped_column(JsonDocument)
    request_id: Mapped[str | None] = mapped_column(String(64))
