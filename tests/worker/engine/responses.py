"""Events of the Responses API as servers send them, and the record of a stream of them."""

from typing import Any

from shared.benchmark.results.record import ResultRecord
from tests.support.streams import sse
from tests.worker.engine.measuring import measure

USAGE = {
    "input_tokens": 37,
    "input_tokens_details": {"cached_tokens": 12},
    "output_tokens": 11,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 48,
}
CREATED = {"type": "response.created", "response": {"id": "resp_1", "object": "response", "status": "in_progress"}}
MESSAGE = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
REASONING = {"id": "rs_1", "type": "reasoning", "summary": []}


def named(*events: dict[str, Any]) -> bytes:
    return sse(*events, named=True)


def added(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": {**item, **more}}


def delta(name: str, text: str, index: int = 0, item: str = "msg_1") -> dict[str, Any]:
    return {"type": f"response.{name}.delta", "item_id": item, "output_index": index, "delta": text}


def said(*texts: str, index: int = 0) -> list[dict[str, Any]]:
    return [{**delta("output_text", text, index), "content_index": 0, "logprobs": []} for text in texts]


def part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message(text: str, **more: Any) -> dict[str, Any]:
    return {**MESSAGE, "status": "completed", "content": [part(text)], **more}


def ended(status: str = "completed", **more: Any) -> dict[str, Any]:
    response = {"id": "resp_1", "object": "response", "status": status, "error": None, "incomplete_details": None}
    response |= {"model": "gpt-5-2025-08-07", "service_tier": "default", "output": [], "usage": USAGE, **more}
    return {"type": f"response.{status}", "response": response}


def used(output: int, reasoning: int) -> dict[str, Any]:
    details = {"reasoning_tokens": reasoning}
    return {**USAGE, "output_tokens": output, "output_tokens_details": details, "total_tokens": 37 + output}


def read(*events: dict[str, Any]) -> ResultRecord:
    """The record of a stream in which each event comes 100 ms after the one before."""
    return measure("openai-responses", [(100 * (at + 1), named(event)) for at, event in enumerate(events)])
