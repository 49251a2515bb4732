"""Statuses of benchmarks and deliveries and outcomes of requests: a word with a shape, so that no colour is needed."""

FILTERS = ("shape",)

SHAPES = {
    "pending": "◌",
    "running": "◐",
    "completed": "●",
    "succeeded": "●",
    "delivered": "●",
    "failed": "✕",
    "errored": "✕",
    "timed_out": "✕",
    "truncated": "✕",
    "cancelled": "○",
}


def shape(status: str) -> str:
    """`●` for `completed`. Unknown statuses have a plain dot."""
    return SHAPES.get(status, "·")
