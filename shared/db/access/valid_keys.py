"""The condition that an API key may be used now."""

from sqlalchemy import ColumnElement, or_

from shared.db.tables.access import ApiKey
from shared.db.tables.types import utc_now


def is_valid_key() -> ColumnElement[bool]:
    """The key is neither revoked nor expired, by the database's clock."""
    return ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utc_now())
