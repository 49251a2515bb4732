"""Further fields for the body of every request: those of the endpoint and those of the benchmark."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, JsonValue, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.benchmark.json_object import check_object
from shared.scrubber import secrets_in

MAX_BYTES = 16_384
MAX_DEPTH = 20
# Tells validators that the object comes from the database and was checked when it was stored.
STORED = object()

# Fields that make a server write several answers, and how many: each costs up to `max_tokens`.
CHOICES = ("n", "best_of")
MAX_CHOICES = 1_000

# Fields that are no caller's to set here, each with the field that sets it.
_ELSEWHERE = {
    "model": "model",
    "messages": "prompts",
    "input": "prompts",
    "system": "system",
    "instructions": "system",
    "max_tokens": "parameters.max_tokens",
    "max_completion_tokens": "parameters.max_tokens",
    "max_output_tokens": "parameters.max_tokens",
}


def _checked(value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Raises ValueError for the object as a whole, ValidationError for single fields of it."""
    if info.context is STORED:
        return value
    _refuse("reserved_field", {(name,): f"is not for extra_body: {where}" for name, where in _reserved(value)})
    _refuse("choices", {(name,): f"must be an integer from 1 to {MAX_CHOICES:,}" for name in _no_choices(value)})
    if _depth(value) > MAX_DEPTH:
        raise ValueError(f"must be nested at most {MAX_DEPTH} levels deep")
    check_object(value, MAX_BYTES)
    return value


def _refuse(
    kind: Literal["reserved_field", "choices", "secret"], problems: Mapping[tuple[int | str, ...], str]
) -> None:
    """Raises ValidationError that names each path, if there is any."""
    if problems:
        errors = [
            InitErrorDetails(type=PydanticCustomError(kind, message), loc=path, input=None)
            for path, message in problems.items()
        ]
        raise ValidationError.from_exception_data("extra_body", errors, hide_input=True)


def _reserved(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in value:
        if name == "stream":
            yield name, "every answer is streamed"
        elif name in _ELSEWHERE:
            yield name, f"`{_ELSEWHERE[name]}` sets it"


def _no_choices(value: Mapping[str, Any]) -> Iterator[str]:
    """Budgets must know the number. Some servers take `"5"` and `5.0` for 5."""
    for name in CHOICES:
        asked = value.get(name)
        if asked is not None and not (type(asked) is int and 1 <= asked <= MAX_CHOICES):
            yield name


def _depth(value: Any) -> int:
    """How many levels of objects and arrays. Stops one level beyond MAX_DEPTH."""
    level, depth = [value], 0
    while depth <= MAX_DEPTH:
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            break
        depth += 1
        level = [part for item in level for part in (item.values() if isinstance(item, dict) else item)]
    return depth


def _without_secrets(value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """A benchmark is stored as it was written, so a secret in it would be stored too."""
    if info.context is not STORED:
        words = "looks like a secret, which would be stored: put it into the `headers` of an endpoint"
        _refuse("secret", {path: words for path, _ in secrets_in(value)})
    return value


# `JsonValue` first: its own errors name the part that is not JSON.
ExtraBody = Annotated[dict[str, JsonValue], AfterValidator(_checked)]
# The extra body of a benchmark.
StoredExtraBody = Annotated[ExtraBody, AfterValidator(_without_secrets)]


@dataclass(frozen=True, slots=True)
class ExtraFields:
    """What endpoint and benchmark add to each body. The endpoint's fields fill gaps, the benchmark's replace."""

    endpoint: Mapping[str, Any] = field(default_factory=dict)
    benchmark: Mapping[str, Any] = field(default_factory=dict)

    @property
    def merged(self) -> dict[str, Any]:
        """The fields of both."""
        return _merge(self.endpoint, self.benchmark)

    def added_to(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body with the further fields."""
        if not self.endpoint and not self.benchmark:
            return body
        return _merge(_merge(self.endpoint, body), self.benchmark)


NO_EXTRA = ExtraFields()


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects. Where both have a field, two objects are merged; otherwise the value of `above` counts."""
    merged = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], Mapping) and isinstance(above[name], Mapping):
            merged[name] = _merge(below[name], above[name])
    return merged
