"""Rows of datasets, as the database stores them and as workloads read them."""

from collections.abc import Sequence
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

# What the rows of a dataset are: conversations of one or more turns, or the requests of a trace.
Kind = Literal["prompts", "trace"]


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user says in one turn. `think_s`: the wait after the answer to the turn before."""

    text: str
    max_tokens: int | None = None
    think_s: float = 0.0


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A conversation. `history`: (role, text) of the messages before the first turn, which are always the same."""

    turns: tuple[Turn, ...]
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()


class TraceRow(msgspec.Struct, frozen=True, array_like=True):
    """A request of a trace. `at_ns` counts from the trace's own zero.

    `hash_ids`: one for each block of 512 input tokens. Blocks with the same id have the same tokens.
    """

    at_ns: int
    input_tokens: int
    output_tokens: int
    hash_ids: tuple[int, ...] = ()


AnyRow = Row | TraceRow
R = TypeVar("R", bound=AnyRow)
R_co = TypeVar("R_co", bound=AnyRow, covariant=True)


class DatasetRows(Protocol[R_co]):
    """The rows of a stored dataset. Workloads read them in any order, one at a time."""

    @property
    def turns(self) -> int:
        """The turns of all rows. Equal to the number of rows if each has one."""

    def __len__(self) -> int: ...

    def row(self, number: int) -> R_co:
        """Row `number`, from 0."""


class RowList(Generic[R]):
    """Rows in a list: for tests and small sets."""

    def __init__(self, rows: Sequence[R]) -> None:
        self._rows = list(rows)

    @property
    def turns(self) -> int:
        return sum(turns_of(row) for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, number: int) -> R:
        return self._rows[number]


def turns_of(row: AnyRow) -> int:
    """How many requests the row stands for."""
    return len(row.turns) if isinstance(row, Row) else 1
