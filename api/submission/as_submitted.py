"""Specs that were stored before, checked as a submit checks new ones: for imports and reruns."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api.http.errors import field_errors
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.spec_rules import SHORT_FORM
from shared.errors import InvalidRequest


def as_submitted(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The stored spec without the defaults of fields that its `load` replaces: no submit may have both."""
    if spec.get("load") is None:
        return dict(spec)
    return {name: value for name, value in spec.items() if name not in SHORT_FORM}


def check_again(spec: Mapping[str, Any]) -> None:
    """Raises InvalidRequest if a submit refuses this today. A version before, or its import, may have let it in.

    Only a check: the stored spec runs, because presets may have other bounds today.
    """
    try:
        RunSpec.model_validate(as_submitted(spec))
    except ValidationError as exc:
        raise refusal(exc) from None


def refusal(exc: ValidationError, place: str = "") -> InvalidRequest:
    """What is wrong with a document that is not the body of a request. `place`: where it stands in one."""
    found = [
        {**error, "loc": ("body", *((place,) if place else ()), *error["loc"])}
        for error in exc.errors(include_url=False, include_input=False)
    ]
    return InvalidRequest(field_errors(found, None))
