"""Rows of the table of requests: results with the beginnings of their prompts and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.db.results.pages import ShownResult

# Characters of a prompt and of an answer in the table.
CLIPPED = 160


@dataclass(frozen=True, slots=True)
class RequestRow:
    """`prompt`: None if it is not known any more. `said`: the answer, or the error's message."""

    result: ShownResult
    prompt: str | None
    said: str
    is_clipped: bool

    @property
    def error_kind(self) -> str | None:
        return None if self.result.error is None else str(self.result.error.get("kind", "error"))


def request_rows(results: Sequence[ShownResult], prompts: Mapping[int, str | None]) -> list[RequestRow]:
    """`prompts`: by id of the result."""
    return [_row(result, prompts.get(result.id)) for result in results]


def _row(result: ShownResult, prompt: str | None) -> RequestRow:
    error: Mapping[str, Any] = result.error or {}
    said = result.answer or str(error.get("message") or "")
    return RequestRow(result, _clipped(prompt) if prompt else None, _clipped(said), len(said) > CLIPPED)


def _clipped(text: str) -> str:
    return text if len(text) <= CLIPPED else text[:CLIPPED].rstrip() + "…"
