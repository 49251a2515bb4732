"""What the audit log tells of: actions, and the facts that it may hold. `shared.db.access.audit` stores them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Action = Literal[
    "benchmark.created",
    "benchmark.cancelled",
    "benchmark.deleted",
    "import.done",
    "dataset.added",
    "dataset.deleted",
    "webhook.created",
    "webhook.changed",
    "webhook.deleted",
    "webhook.secret_rotated",
    "webhook.redelivered",
    "webhook.tested",
    "baseline.set",
    "baseline.deleted",
    "key.created",
    "key.revoked",
    "session.opened",
    "session.closed",
    "login.refused",
    "budget.set",
    "budget.deleted",
    "retention.done",
]
ACTIONS: tuple[Action, ...] = get_args(Action)

# The kind of thing that was changed.
Kind = Literal["benchmark", "dataset", "webhook", "delivery", "baseline", "key", "session", "budget", "retention"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Names of details. Prompts, answers, secrets and free texts, such as the name of a benchmark, have none.
DETAILS = frozenset(
    {
        # Of benchmarks.
        "model",
        "provider",
        "planned_requests",
        "rerun_of",
        "status",
        "budget_usd",
        "benchmark_id",
        # Of datasets.
        "format",
        "rows",
        "sha256",
        # Of webhooks: the address without its path, and which fields were changed.
        "host",
        "events",
        "changed",
        # Of keys and sessions.
        "key_name",
        "scope",
        "expires_at",
        "requests_per_minute",
        "concurrent_requests",
        "reason",
        "sessions",
        # The name by which a trusted proxy knows the person.
        "user",
        # Of budgets.
        "cap_usd",
        "period",
        "key_id",
        # Of what retention did.
        "benchmarks_deleted",
        "texts_deleted_of",
    }
)
MAX_CHARS = 200
MAX_ITEMS = 50
MAX_TARGET_CHARS = 120


def checked_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details as they are stored: long texts and lists are cut, unknown values left out.

    Raises ValueError for a name that is not in DETAILS: what may be told is decided there.
    """
    unknown = sorted(set(details) - DETAILS)
    if unknown:
        raise ValueError(f"the audit log does not hold {', '.join(unknown)}")
    return {name: _bounded(value) for name, value in details.items() if value is not None}


def host_of(url: str) -> str:
    """The host of a URL, for details: its path or its query may be a secret."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _bounded(value: Any) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value[:MAX_CHARS]
    if isinstance(value, Sequence | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else list(value)
        return [_bounded(item) for item in items[:MAX_ITEMS]]
    raise ValueError(f"the audit log holds no {type(value).__name__}")
