"""Errors of the API beside the fields of the form."""

import pytest
from pydantic import ValidationError

from api.http.errors import field_errors
from api.pages.forms.mistakes import Mistake, mistakes_of
from api.pages.forms.request import draft_of
from api.schemas.benchmark_request import BenchmarkBody
from shared.errors import FieldError

LEAST = {"model": "gpt-4o-mini", "prompts": "one\ntwo"}


def mistakes(**values: str) -> list[tuple[str | None, str]]:
    draft = draft_of(values)
    errors: list[FieldError] = []
    try:
        BenchmarkBody.model_validate(draft.document)
    except ValidationError as exc:
        found = [{**error, "loc": ("body", *error["loc"])} for error in exc.errors()]
        errors = field_errors(found, draft.document)
    return [(item.field, item.message) for item in mistakes_of(draft, errors)]


def test_an_empty_form() -> None:
    assert mistakes() == [("model", "is required"), ("prompts", "is required")]


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"repetitions": "0"}, "repetitions", "must be greater than or equal to 1"),
        ({"concurrency": "1025"}, "concurrency", "must be less than or equal to 1024"),
        ({"concurrency": "x"}, "concurrency", "must be a whole number, in digits"),
        ({"duration_s": "9"}, "concurrency", "load has no control"),
        ({"load": "open", "request_rate": "2", "max_concurrency": "0"}, "max_concurrency", "must be greater"),
        ({"load": "open", "request_rate": "900", "duration_s": "99999"}, "duration_s", "is too long"),
        ({"load": "sweep", "sweep_from": "9", "sweep_to": "3"}, "sweep_to", "`to` must be at least `from`"),
        ({"load": "sweep", "sweep_to": "9999"}, "sweep_to", "must be less than or equal to 1024"),
        ({"load": "search"}, "slo_preset", "set slos as well"),
        ({"load": "search", "search_max": "2", "slo_ttft_ms": "9"}, "search_max", "must lie between"),
        ({"load": "search", "slo_ttft_ms": "9", "slo_attainment": "1"}, "slo_attainment", "cannot be shown"),
        ({"source": "generated"}, "input_tokens", "say how long the texts are"),
        ({"source": "generated", "input_tokens": "x"}, "input_tokens", "must be a whole number"),
        ({"source": "generated", "input_tokens": "0"}, "input_tokens", "must be greater than or equal to 1"),
        ({"slo_attainment": "0.5"}, "slo_preset", "set a preset or at least one"),
        ({"slo_ttft_ms": "9", "slo_attainment": "5"}, "slo_attainment", "must be less than or equal to 1"),
        ({"temperature": "9"}, "temperature", "must be less than or equal to 2"),
        ({"total_s": "-4"}, "total_s", "must be greater than 0"),
        ({"name": "x" * 201}, "name", "must have at most 200 characters"),
        ({"prompts": '"a"\n{"messages": []}', "prompts_format": "json"}, "prompts", "prompt 2.messages: must not be"),
        ({"repetitions": "10000", "prompts": "a\n" * 101}, "prompts", "prompts x repetitions + warmup must be at most"),
        ({"advanced": '{"timeouts": {"ttft_s": -1}}'}, "advanced", "timeouts.ttft_s: must be greater than 0"),
        ({"advanced": '{"timeouts": {"ttft_s": -1}}', "total_s": "-4"}, "total_s", "must be greater than 0"),
        ({"advanced": '{"colour": 1}'}, "advanced", "colour: is not a field of this object"),
        ({"advanced": '{"load": {"stages": [{}]}}', "load": "json"}, "advanced", "load: stages[0] has no control"),
        ({"advanced": '{"webhook_events": ["benchmark.failed"]}'}, "webhook_url", "belong to a webhook_url"),
    ],
)
def test_an_error_stands_beside_its_field(values: dict[str, str], field: str, message: str) -> None:
    found = mistakes(**{**LEAST, **values})
    assert found[0][0] == field
    assert message in found[0][1]
    assert len(found) == (2 if "total_s" in values and "advanced" in values else 1)


def test_an_error_of_no_field_is_about_the_form() -> None:
    (found,) = mistakes_of(draft_of(LEAST), [FieldError("body", "is wrong", "x")])
    assert found == Mistake(None, "is wrong")
    assert found.label == "The benchmark"


def test_an_error_of_a_field_that_the_form_does_not_have_names_it() -> None:
    assert mistakes_of(draft_of(LEAST), [FieldError("observe", "is wrong", "x")]) == [
        Mistake(None, "observe: is wrong")
    ]
