"""How the audit log is asked for. `GET /audit` and its page use this."""

from api.schemas.audit import AuditFilters
from shared.db.access.audit import AuditFilter


def filter_of(query: AuditFilters) -> AuditFilter:
    return AuditFilter(
        action=query.action,
        kind=query.kind,
        target_id=query.target,
        key_id=query.key_id,
        since=query.since,
        before=query.before,
    )
