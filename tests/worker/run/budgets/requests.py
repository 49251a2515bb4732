"""Requests of known cost, and what runs of them cost."""

from typing import Any

from shared.benchmark.worst_case import AROUND_A_MESSAGE, AROUND_A_REQUEST

# Four tokens are written, and four at most.
FOUR = {"model": "sim-ttft5-gap1-n4", "parameters": {"max_tokens": 4}, "provider": "priced"}
# A request with a prompt of one byte: its worst case, and what it does cost.
WORST = 1 + AROUND_A_REQUEST + 2 * AROUND_A_MESSAGE + 4 * 10
COST = 1 + 4 * 10


def spent_of(done: dict[str, Any]) -> int:
    """What its requests cost, warm-up included; each costs whole micro-dollars."""
    return round(done["progress"]["cost_usd"] * 1e6)
