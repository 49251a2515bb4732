"""Turns results into JSON, a few at a time and in a thread: a timeline may have 250,000 events."""

import asyncio
from collections.abc import Mapping, Sequence

import orjson

from api.answers import JsonList
from api.schemas.results import RequestErrorOut, ResultOut
from shared.db.benchmark_pages import BenchmarkPages
from shared.db.result_pages import ListedResult, ResultPages
from shared.db.tables import Result
from shared.numbers.timeline import decode

# Characters of a prompt that each of its results shows.
PROMPT_SHOWN = 4_000
# Columns of a result that the API shows under the same name.
_PLAIN = tuple(name for name in ResultOut.model_fields if name not in ("prompt", "prompt_cut", "error", "timeline"))


def results_json(
    results: ResultPages, prompts: BenchmarkPages, benchmark_id: int, listed: Sequence[ListedResult], *, timeline: bool
) -> JsonList[ListedResult]:
    """The listed results of a benchmark. They are read when their turn comes."""

    async def make(group: Sequence[ListedResult]) -> list[bytes | None]:
        rows = await results.rows([item.id for item in group], with_timeline=timeline)
        texts = await prompts.prompt_texts(benchmark_id, [item.prompt_index for item in group], PROMPT_SHOWN + 1)
        made = await asyncio.to_thread(_all_json, rows, texts, timeline)
        return [made.get(item.id) for item in group]

    return JsonList(listed, make)


def _all_json(rows: Sequence[Result], texts: Mapping[int, str], timeline: bool) -> dict[int, bytes]:
    return {row.id: result_json(row, texts.get(row.prompt_index, ""), with_timeline=timeline) for row in rows}


def result_json(result: Result, prompt: str, *, with_timeline: bool) -> bytes:
    """One result. `prompt`: its text, or one character more of it than is shown."""
    shown = ResultOut(
        **{name: getattr(result, name) for name in _PLAIN},
        prompt=prompt[:PROMPT_SHOWN],
        prompt_cut=len(prompt) > PROMPT_SHOWN,
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
