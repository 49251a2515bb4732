"""Scopes, states of keys, and entries of the audit log in words."""

FILTERS = ("scope_words", "action_words", "key_shape", "via_words")

SCOPES = {
    "read": "see everything of its owner, change nothing",
    "run": "see, run, cancel and delete benchmarks, and change datasets, webhooks and baselines",
    "admin": "see and change all that its owner has, make and revoke keys, set budgets, and see other owners",
}
# A status with the same shape, for the style sheet.
_KEY_SHAPES = {"usable": "completed", "unknown": "failed", "revoked": "failed", "expired": "cancelled"}

_VIA = {
    "key": "",
    "session": "in a browser",
    "local": "without a key, on this machine",
    "cli": "command line of the server",
    "worker": "worker",
}


def scope_words(scope: str) -> str:
    """What a key of this scope may do."""
    return SCOPES.get(scope, "")


def action_words(action: str) -> str:
    """`benchmark.created` becomes `benchmark created`."""
    return action.replace(".", " ").replace("_", " ")


def key_shape(state: str) -> str:
    """The status whose shape and colour a key's state has."""
    return _KEY_SHAPES.get(state, "")


def via_words(via: str) -> str:
    """How a change was asked for. With a key alone nothing needs to be said."""
    return _VIA.get(via, via)
