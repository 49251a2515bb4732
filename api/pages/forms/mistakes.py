"""Puts the API's errors, which name fields of the request such as `load.warmup.requests`, beside the form's fields."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.pages.forms.draft import Draft
from api.pages.forms.fields import FIELDS
from shared.errors import FieldError

# Words of messages that name a field of the request, and the form's field for it. Messages of rules that join several
# fields name those that are meant.
_MENTIONED = {
    **{
        field.path.rpartition(".")[2]: field.name
        for field in reversed(list(FIELDS.values()))
        if field.name != "advanced"
    },
    "slos": "slo_preset",
    "dataset": "dataset",
    "sweep": "sweep_to",
    "search": "search_max",
    "attainment": "slo_attainment",
}
# A field that the message says to set.
_ASKED = re.compile(r"\bset ([a-z_]+) as well|\bneeds ([a-z_]+)")
_PARTS = re.compile(r"[^.\[\]]+")
# Parts of a path that name a choice of a union, and one of a number that stands for an object.
_CHOICES = ("ConcurrencySteps", "RateSteps", "value")
# The other choice of such a union, a list. The form sends none.
_LIST = "function-before"


@dataclass(frozen=True, slots=True)
class Mistake:
    """`field`: the form's field; None: the error is about the form as a whole."""

    field: str | None
    message: str

    @property
    def label(self) -> str:
        return "The benchmark" if self.field is None else FIELDS[self.field].label


def unreadable(draft: Draft) -> list[Mistake]:
    """What could not be read."""
    return [Mistake(name, message) for name, message in draft.wrong.items()]


def mistakes_of(draft: Draft, errors: Sequence[FieldError]) -> list[Mistake]:
    """What could not be read, then the API's errors, in the order of the form's fields, each once."""
    found = unreadable(draft)
    for error in errors:
        if _LIST in error.field:
            continue
        field, rest = _field_of(draft, error)
        # What could not be read was left out. That it is missing now is no second mistake.
        if field in draft.wrong:
            continue
        found.append(Mistake(field, f"{rest}: {error.message}" if rest else error.message))
    order = {name: number for number, name in enumerate(FIELDS)}
    return sorted(dict.fromkeys(found), key=lambda item: -1 if item.field is None else order[item.field])


def _field_of(draft: Draft, error: FieldError) -> tuple[str | None, str]:
    """The form's field, and the part of the path that it does not say."""
    parts = [part for part in _PARTS.findall(error.field) if part not in _CHOICES]
    if _is_in(draft.advanced, parts):
        return "advanced", error.field
    path, origins = ".".join(parts), draft.origins
    if path in origins:
        return origins[path], ""
    if (mentioned := _mentioned(draft, parts, error.message)) is not None:
        return mentioned, ""
    for length in range(len(parts) - 1, 0, -1):
        if (name := origins.get(".".join(parts[:length]))) is not None:
            return name, _rest(name, parts[length:])
    if parts[:1] in (["body"], []):
        return None, ""
    if parts[0] in draft.advanced:
        return "advanced", error.field
    below = [name for place, name in origins.items() if place.startswith(f"{path}.")]
    return (below[0], "") if below else (None, error.field)


def _rest(name: str, parts: Sequence[str]) -> str:
    """Of `prompts[2].messages`: the third prompt."""
    if name == "prompts" and parts[0].isdecimal():
        return ".".join((f"prompt {int(parts[0]) + 1}", *parts[1:]))
    return ".".join(parts)


def _mentioned(draft: Draft, parts: Sequence[str], message: str) -> str | None:
    """The first field that the message names, if the form shows it now."""
    shown = set(draft.origins.values())
    asked = [word for words in _ASKED.findall(message) for word in words if word]
    # What is sent decides which fields there are, so that messages name it beside the field that they mean.
    others = sorted(re.findall(r"[a-z_]+", message), key=lambda word: word == "source")
    names = (_MENTIONED.get(word) for word in (*asked, *others) if word not in parts[:-1])
    return next((name for name in names if name in shown and name is not None), None)


def _is_in(document: Any, parts: Sequence[str]) -> bool:
    """Whether the JSON box holds a value at this path or at the end of what it has of it, beyond its first part."""
    if not parts or not isinstance(document, dict) or parts[0] not in document:
        return False
    rest = document[parts[0]]
    if len(parts) == 1 or not isinstance(rest, dict):
        return True
    return _is_in(rest, parts[1:])
