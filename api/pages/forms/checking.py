"""Checks a form by the rules of the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from api.http.errors import field_errors
from api.pages.forms.draft import Draft
from api.pages.forms.mistakes import Mistake, mistakes_of
from api.pages.forms.request import draft_of
from api.pages.forms.values import Values
from api.schemas.benchmark_request import BenchmarkBody


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """`body`: None if there is a mistake."""

    draft: Draft
    body: BenchmarkBody | None
    mistakes: Sequence[Mistake]


def check(values: Values, earlier: Sequence[Any] = ()) -> CheckedForm:
    """`earlier`: see `draft_of`. It takes a while if there are many prompts."""
    draft = draft_of(values, earlier)
    try:
        body = BenchmarkBody.model_validate(draft.document)
    except ValidationError as exc:
        found = [{**error, "loc": ("body", *error["loc"])} for error in exc.errors(include_url=False)]
        return CheckedForm(draft, None, mistakes_of(draft, field_errors(found, draft.document)))
    mistakes = mistakes_of(draft, ())
    return CheckedForm(draft, None if mistakes else body, mistakes)
