"""`/benchmarks/{id}/prompts`: the prompts of a benchmark, each once and whole."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Response

from api.answers import JsonList, json_answer
from api.cursor import decode_cursor, encode_cursor
from api.routes.benchmarks import INVALID, NOT_FOUND, BenchmarkId
from api.schemas.benchmark_queries import PromptQuery
from api.schemas.benchmarks import PromptOut, PromptPage
from api.state import Parts
from shared.benchmark.spec import MAX_PROMPTS
from shared.db.benchmark_pages import ListedPrompt

router = APIRouter(tags=["benchmarks"])


@router.get(
    "/benchmarks/{benchmark_id}/prompts",
    operation_id="listPrompts",
    summary="Read the prompts of a benchmark",
    response_model=PromptPage,
    responses={**NOT_FOUND, **INVALID},
)
async def list_prompts(benchmark_id: BenchmarkId, query: Annotated[PromptQuery, Query()], parts: Parts) -> Response:
    """The prompts in their order, whole. Results show only the beginning of a long one."""
    await parts.benchmarks.status(benchmark_id)
    after = -1 if query.cursor is None else min(max(-1, decode_cursor(query.cursor, int)[0]), MAX_PROMPTS)
    listed = await parts.benchmark_pages.prompts(benchmark_id, after=after, limit=query.limit + 1)
    shown = listed[: query.limit]

    async def make(group: Sequence[ListedPrompt]) -> list[bytes | None]:
        indexes = [item.prompt_index for item in group]
        documents = await parts.benchmark_pages.prompt_documents(benchmark_id, indexes)
        return await asyncio.to_thread(_all_json, indexes, documents)

    prompts = JsonList(shown, make)

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"items":['
        async for piece in prompts.pieces():
            yield piece
        more = prompts.is_cut or len(listed) > len(shown)
        cursor = encode_cursor(prompts.last.prompt_index) if more and prompts.last is not None else None
        yield b'],"next_cursor":' + orjson.dumps(cursor) + b"}"

    return await json_answer(pieces())


def _all_json(indexes: Sequence[int], documents: Mapping[int, str]) -> list[bytes | None]:
    return [_json(index, documents[index]) if index in documents else None for index in indexes]


def _json(index: int, document: str) -> bytes:
    prompt = PromptOut.model_validate({**orjson.loads(document), "prompt_index": index}, extra="ignore")
    return prompt.model_dump_json().encode()
