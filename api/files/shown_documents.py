"""JSON documents of an import: whether pages and routes can show them, and compute with them. For `import_reader`."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from api.schemas.prices import PriceOut
from api.schemas.results import Distribution
from api.submission.as_submitted import refusal
from shared.errors import InvalidRequest
from shared.exports.imported import MAX_NUMBER

# What a distribution has from how many values on.
_NEEDS = {"min": 1, "max": 1, "mean": 1, "p50": 1, "stdev": 2}


def check_shown(schema: type[BaseModel], document: dict[str, Any], place: str) -> BaseModel:
    """Raises InvalidRequest unless the schema of the answers can show it."""
    try:
        return schema.model_validate_json(orjson.dumps(document), strict=False)
    except ValidationError as exc:
        raise refusal(exc, place) from None


def check_numbers(schema: type[BaseModel], document: dict[str, Any], place: str) -> None:
    """`check_shown` for documents that are computed with as they are stored. Raises InvalidRequest.

    The schema takes `true` for 1 and 0 for a date. Here, only amounts may be of another type: they are texts. Nothing
    that is counted or measured is negative.
    """
    shown = check_shown(schema, document, place)
    for path, message in _wrong(shown, document, place, schema is PriceOut):
        raise InvalidRequest.of(path, message, "invalid_number")


def check_label(label: Mapping[str, Any], place: str) -> None:
    """Whether the load that a stage names can be computed with. Raises InvalidRequest."""
    for name, value in label.items():
        if _is_number(value) and not 0 <= value <= MAX_NUMBER:
            raise InvalidRequest.of(f"{place}.{name}", _range(), "invalid_number")


def _wrong(shown: Any, raw: Any, path: str, is_amount: bool) -> Iterator[tuple[str, str]]:
    """Where the stored value cannot stand for the one that the schema has read from it: path and problem."""
    if isinstance(shown, BaseModel):
        if isinstance(shown, Distribution):
            yield from _missing(shown, path)
        for name in shown.model_fields_set:
            amount = is_amount or name.endswith("usd")
            yield from _wrong(getattr(shown, name), raw[name], f"{path}.{name}", amount)
    elif isinstance(shown, dict):
        for name, value in shown.items():
            yield from _wrong(value, raw[name], f"{path}.{name}", is_amount)
    elif isinstance(shown, list | tuple):
        for index, value in enumerate(shown):
            yield from _wrong(value, raw[index], f"{path}[{index}]", is_amount)
    elif isinstance(shown, datetime):
        if not _is_instant(raw):
            yield path, "must be an instant such as 2025-01-15T10:30:00Z"
    elif isinstance(shown, bool):
        if shown is not raw:
            yield path, "must be true or false"
    elif isinstance(shown, int | float):
        if not _is_number(raw) and not (is_amount and isinstance(raw, str)):
            yield path, "must be a number"
        elif isinstance(shown, int) and not isinstance(raw, int):
            yield path, "must be an integer"
        elif not 0 <= shown <= MAX_NUMBER:
            yield path, _range()


def _missing(shown: Distribution, path: str) -> Iterator[tuple[str, str]]:
    for name, least in _NEEDS.items():
        if shown.count >= least and getattr(shown, name) is None:
            yield f"{path}.{name}", f"must be there: count is {shown.count:,}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_instant(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


def _range() -> str:
    return f"must be from 0 to {MAX_NUMBER:,.0f}"
