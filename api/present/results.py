"""Turns results into JSON, a few at a time and in a thread: a timeline may have 250,000 events."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import orjson

from api.http.answers import JsonList
from api.present.made_prompts import texts_of
from api.schemas.results import RequestErrorOut, ResultOut
from api.state import State
from shared.benchmark.workload.workload import Workload
from shared.db.results.pages import ListedResult
from shared.db.tables.benchmarks import Result
from shared.numbers.timeline import decode

# Characters of a prompt that each of its results shows.
PROMPT_SHOWN = 4_000
# How long one answer makes prompts that are not stored. The results after that have none.
MAKING_S = 2.0
# Columns of a result that the API shows under the same name.
_PLAIN = tuple(name for name in ResultOut.model_fields if name not in ("prompt", "prompt_cut", "error", "timeline"))


def results_json(
    parts: State, benchmark_id: int, listed: Sequence[ListedResult], *, timeline: bool
) -> JsonList[ListedResult]:
    """The listed results of a benchmark. They are read when their turn comes."""
    prompts = PromptTexts(parts, benchmark_id)

    async def make(group: Sequence[ListedResult]) -> list[bytes | None]:
        rows = await parts.result_pages.rows([item.id for item in group], with_timeline=timeline)
        texts = await prompts.of(rows)
        made = await asyncio.to_thread(_all_json, rows, texts, timeline)
        return [made.get(item.id) for item in group]

    return JsonList(listed, make)


class _OfPrompt(Protocol):
    """A result, as far as its prompt is concerned."""

    @property
    def id(self) -> int: ...
    @property
    def prompt_index(self) -> int: ...
    @property
    def repetition(self) -> int: ...


class PromptTexts:
    """The prompts of the results of one answer: stored ones, or made again within a bound of time."""

    def __init__(self, parts: State, benchmark_id: int, most_s: float = MAKING_S) -> None:
        """`most_s`: how long it makes prompts."""
        self._parts = parts
        self._benchmark_id = benchmark_id
        self._workload: Workload | None = None
        self._is_known = False
        self._left_s = most_s

    async def of(self, rows: Sequence[_OfPrompt]) -> dict[int, str | None]:
        """The texts by id of the result, each with one character more than is shown. None: not made in time."""
        if not self._is_known:
            self._workload = await self._parts.made_prompts.workload(self._benchmark_id)
            self._is_known = True
        if self._workload is None:
            indexes = [row.prompt_index for row in rows]
            stored = await self._parts.benchmark_pages.prompt_texts(self._benchmark_id, indexes, PROMPT_SHOWN + 1)
            return {row.id: stored.get(row.prompt_index, "") for row in rows}
        keys = [(row.prompt_index, row.repetition) for row in rows]
        made, spent_s = await asyncio.to_thread(texts_of, self._workload, keys, self._parts.clock, self._left_s)
        self._left_s -= spent_s
        return {row.id: made.get(key) for row, key in zip(rows, keys, strict=True)}


def _all_json(rows: Sequence[Result], texts: Mapping[int, str | None], timeline: bool) -> dict[int, bytes]:
    return {row.id: result_json(row, texts.get(row.id, ""), with_timeline=timeline) for row in rows}


def result_json(result: Result, prompt: str | None, *, with_timeline: bool) -> bytes:
    """One result. `prompt`: its text, or one character more of it than is shown. None: it is not known here."""
    shown = ResultOut(
        **{name: getattr(result, name) for name in _PLAIN},
        prompt=(prompt or "")[:PROMPT_SHOWN],
        prompt_cut=prompt is None or len(prompt) > PROMPT_SHOWN,
        error=RequestErrorOut.model_validate(result.error) if result.error else None,
    )
    if not with_timeline or result.timeline is None:
        return shown.model_dump_json().encode()
    # One object for each of so many events would take a hundred times the memory of their JSON.
    events = ",".join(
        f'{{"offset_ms":{event.offset_us / 1_000},"kind":"{event.kind.name.lower()}","size":{event.size}}}'
        for event in decode(result.timeline)
    )
    return orjson.dumps({**shown.model_dump(mode="json"), "timeline": orjson.Fragment(f"[{events}]")})
