"""The `include` parameter: which parts an answer has."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator

from api.schemas.comma_separated import comma_separated_words

Part = Literal["results", "timeline", "warmup", "none"]
PARTS: tuple[Part, ...] = get_args(Part)
MAX_CHARS = 100


def _split(value: Any) -> Any:
    return comma_separated_words(value, PARTS, MAX_CHARS)


Include = Annotated[tuple[Part, ...], BeforeValidator(_split, json_schema_input_type=list[Part])]
