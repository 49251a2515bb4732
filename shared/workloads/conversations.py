"""Conversations of several turns: which turn has which number, and what is sent with it."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np

from shared.workloads.rows import Row


class TurnNumbers:
    """Numbers the turns of all conversations through: those of the first, then those of the second, and so on.

    The number is the `prompt_index` of the turn's results. It takes eight bytes for each conversation.
    """

    def __init__(self, turns: Iterable[int]) -> None:
        """`turns`: how many turns each conversation has."""
        self._firsts = np.fromiter(accumulate(turns, initial=0), dtype=np.int64)

    @property
    def total(self) -> int:
        return int(self._firsts[-1])

    def turns(self, conversation: int) -> int:
        return int(self._firsts[conversation + 1] - self._firsts[conversation])

    def number(self, conversation: int, turn: int) -> int:
        return int(self._firsts[conversation]) + turn

    def of_number(self, number: int) -> tuple[int, int]:
        """(conversation, turn): the inverse of `number`."""
        conversation = int(np.searchsorted(self._firsts, number, side="right")) - 1
        return conversation, number - int(self._firsts[conversation])


class OneTurnEach:
    """`TurnNumbers` of conversations with one turn each. It takes no memory."""

    def __init__(self, conversations: int) -> None:
        self.total = conversations

    def turns(self, conversation: int) -> int:
        return 1

    def number(self, conversation: int, turn: int) -> int:
        return conversation

    def of_number(self, number: int) -> tuple[int, int]:
        return number, 0


def messages_of(row: Row, turn: int, answers: Sequence[str]) -> list[dict[str, str]]:
    """The messages of a turn: the history, the earlier turns with the answers that they got, and the turn itself.

    An answer without text is left out, since providers refuse an empty message.
    """
    messages = [{"role": role, "content": text} for role, text in row.history]
    for earlier, answer in zip(row.turns[:turn], answers, strict=False):
        messages.append({"role": "user", "content": earlier.text})
        if answer:
            messages.append({"role": "assistant", "content": answer})
    messages.append({"role": "user", "content": row.turns[turn].text})
    return messages
