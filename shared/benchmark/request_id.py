"""Which request of a benchmark: its place in the sequence and its turn."""

from typing import NamedTuple


class RequestId(NamedTuple):
    """`place` counts from 0 over the whole sequence, warm-up included; `turn` counts within a conversation."""

    place: int
    turn: int = 0
