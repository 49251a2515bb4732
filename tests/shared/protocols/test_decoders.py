"""What decoders of all protocols have in common."""

from decimal import Decimal

import orjson

from tests.support.streams import openai_chunk, openai_text, sse
from tests.worker.engine.measuring import measure

USAGE = {"prompt_tokens": 10, "completion_tokens": 5}


def test_usage_without_counts_may_state_a_cost() -> None:
    stated = openai_chunk({}, "stop", usage={"cost": 0.25})
    record = measure("openai", [(10, sse(*openai_text("Hi"), stated, "[DONE]"))])
    assert (record.provider_cost_usd, record.usage.output_tokens) == (Decimal("0.25"), None)


def test_usage_with_only_counts_out_of_range_is_flagged() -> None:
    stated = openai_chunk({}, "stop", usage={"prompt_tokens": -1, "completion_tokens": -1})
    record = measure("openai", [(10, sse(*openai_text("Hi"), stated, "[DONE]"))])
    assert "usage_out_of_range" in record.flags
    assert (record.usage.input_tokens, record.usage.output_tokens) == (None, None)


def test_documents_in_a_list_are_read_one_by_one() -> None:
    chunks = [*openai_text("Hi", " you"), openai_chunk({}, "stop", usage=USAGE)]
    record = measure("openai", [(10, b"data: [" + b",".join(map(orjson.dumps, chunks)) + b"]\n\n" + sse("[DONE]"))])
    assert (record.outcome, record.response, record.usage.output_tokens) == ("succeeded", "Hi you", 5)
