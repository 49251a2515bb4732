"""Scopes, states of keys, and entries of the audit log in words."""

FILTERS = ("scope_words", "action_words", "key_shape")

SCOPES = {
    "read": "see everything of its owner, change nothing",
    "run": "see, run, cancel and delete benchmarks, and change datasets, webhooks and baselines",
    "admin": "all of that, and keys, budgets, the audit log and other owners",
}
# A status with the same shape, for the style sheet.
_KEY_SHAPES = {"usable": "completed", "revoked": "failed", "expired": "cancelled"}


def scope_words(scope: str) -> str:
    """What a key of this scope may do."""
    return SCOPES.get(scope, "")


def action_words(action: str) -> str:
    """`benchmark.created` becomes `benchmark created`."""
    return action.replace(".", " ").replace("_", " ")


def key_shape(state: str) -> str:
    """The status whose shape and colour a key's state has."""
    return _KEY_SHAPES.get(state, "")
