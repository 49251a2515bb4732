"""`/benchmarks/{id}/prompts`: the prompts of a benchmark, each once and whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Annotated, TypeVar

import orjson
from fastapi import APIRouter, Query, Response

from api.access.needs import needs
from api.http.answers import JsonList, json_answer
from api.lists.cursor import decode_cursor, encode_cursor
from api.present.made_prompts import documents_of
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.benchmark_queries import PromptQuery
from api.schemas.benchmarks import PromptOut, PromptPage
from api.state import Parts, State
from shared.db.benchmarks.pages import ListedPrompt
from shared.db.results.pages import SentPrompt

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])

# The column has 31 bits.
MAX_INDEX = 2**31 - 1

Listed = TypeVar("Listed", ListedPrompt, SentPrompt)


@router.get(
    "/benchmarks/{benchmark_id}/prompts",
    operation_id="listPrompts",
    summary="Read the prompts of a benchmark",
    response_model=PromptPage,
    responses={**NOT_FOUND, **INVALID},
)
async def list_prompts(benchmark_id: BenchmarkId, query: Annotated[PromptQuery, Query()], parts: Parts) -> Response:
    """The prompts in their order, whole. Results show only the beginning of a long one.

    Prompts that come from a `workload` are not stored. Those that have a result are made again from its seed, or from
    the dataset, as they were last sent. There are none if the dataset was deleted. Of a later turn of a conversation
    there is the turn alone, without the answers that it carried.
    """
    await parts.benchmarks.status(benchmark_id)
    after = -1 if query.cursor is None else min(max(-1, decode_cursor(query.cursor, int)[0]), MAX_INDEX)
    if await parts.made_prompts.is_needed(benchmark_id):
        return await _made(parts, benchmark_id, after, query.limit)
    listed = await parts.benchmark_pages.prompts(benchmark_id, after=after, limit=query.limit + 1)

    async def make(group: Sequence[ListedPrompt]) -> list[bytes | None]:
        indexes = [item.prompt_index for item in group]
        documents = await parts.benchmark_pages.prompt_documents(benchmark_id, indexes)
        return await asyncio.to_thread(_all_json, indexes, documents)

    return await json_answer(_page(listed, query.limit, make))


async def _made(parts: State, benchmark_id: int, after: int, limit: int) -> Response:
    """A page of prompts that are not stored: of each that has a result, what its last request said."""
    listed: Sequence[SentPrompt] = []
    if await parts.made_prompts.workload(benchmark_id) is not None:
        listed = await parts.result_pages.sent_prompts(benchmark_id, after=after, limit=limit + 1)
    system = (await parts.benchmarks.get(benchmark_id)).spec.system

    async def make(group: Sequence[SentPrompt]) -> list[bytes | None]:
        # Retention may have deleted the texts since the last group.
        workload = await parts.made_prompts.workload(benchmark_id)
        if workload is None:
            return [None] * len(group)
        return await asyncio.to_thread(
            documents_of, workload, [(item.prompt_index, item.repetition) for item in group], system
        )

    return await json_answer(_page(listed, limit, make))


async def _page(
    listed: Sequence[Listed], limit: int, make: Callable[[Sequence[Listed]], Awaitable[list[bytes | None]]]
) -> AsyncIterator[bytes]:
    """The pieces of a page. `listed`: one more than the page has, if there is another page."""
    shown = listed[:limit]
    prompts = JsonList(shown, make)
    yield b'{"items":['
    async for piece in prompts.pieces():
        yield piece
    more = prompts.is_cut or len(listed) > len(shown)
    cursor = encode_cursor(prompts.last.prompt_index) if more and prompts.last is not None else None
    yield b'],"next_cursor":' + orjson.dumps(cursor) + b"}"


def _all_json(indexes: Sequence[int], documents: Mapping[int, str]) -> list[bytes | None]:
    return [_json(index, documents[index]) if index in documents else None for index in indexes]


def _json(index: int, document: str) -> bytes:
    prompt = PromptOut.model_validate({**orjson.loads(document), "prompt_index": index}, extra="ignore")
    return prompt.model_dump_json().encode()
