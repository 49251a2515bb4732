"""The `include` parameter: which parts an answer has."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator

Part = Literal["results", "timeline", "warmup", "none"]
PARTS: tuple[Part, ...] = get_args(Part)
MAX_CHARS = 100


def _split(value: Any) -> Any:
    """Both `include=timeline,warmup` and `include=timeline&include=warmup`."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return value
    whole = ",".join(texts)
    if len(whole) > MAX_CHARS:
        raise ValueError(f"must have at most {MAX_CHARS} characters")
    parts = tuple(part.strip() for part in whole.split(",") if part.strip())
    if not set(parts) <= set(PARTS):
        raise ValueError(f"must name only {', '.join(PARTS)}, separated by commas")
    return parts


Include = Annotated[tuple[Part, ...], BeforeValidator(_split, json_schema_input_type=list[Part])]
