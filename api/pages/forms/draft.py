"""A request of the API while it is made of a form's values. It knows which form field each of its fields came from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.pages.forms.values import Values

# ASCII only, as in JSON. Longer ones would be no number that anyone means.
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,3})?")


@dataclass(slots=True)
class Draft:
    """`document`: the request so far. `origins`: form fields by path. `wrong`: what cannot be read, by form field."""

    values: Values
    document: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    # Of another benchmark: they are sent if none were typed.
    earlier_prompts: Sequence[Any] = ()
    # What the JSON box holds.
    advanced: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """What was typed, without the space around it."""
        return self.values.get(name, "").strip()

    def text(self, name: str, path: str) -> None:
        """Sets the field if something was typed."""
        self.put(name, path, self.get(name) or None)

    def long_text(self, name: str, path: str) -> None:
        """Like `text`, with the space around it."""
        self.put(name, path, self.values.get(name) or None)

    def integer(self, name: str, path: str) -> None:
        self._number(name, path, whole=True)

    def number(self, name: str, path: str) -> None:
        self._number(name, path, whole=False)

    def required(self, name: str, path: str, why: str) -> None:
        """Notes that the field is empty and must not be, unless the JSON box holds what is at `path`."""
        value: Any = self.advanced
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not self.get(name) and value is None:
            self.wrong.setdefault(name, why)

    def put(self, name: str, path: str, value: Any) -> None:
        """Sets a field of the request. None: it is left out, and an error that asks for it names the form's field."""
        self.origins[path] = name
        if value is None:
            return
        *parents, last = path.split(".")
        place = self.document
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value

    def add_advanced(self) -> None:
        """Puts the fields of the JSON box over all others."""
        self.document = merged(self.document, self.advanced)

    def _number(self, name: str, path: str, *, whole: bool) -> None:
        typed = self.get(name)
        value: int | float | None = None
        if _INTEGER.fullmatch(typed):
            value = int(typed)
        elif typed and whole:
            self.wrong[name] = "must be a whole number, in digits"
        elif _NUMBER.fullmatch(typed):
            value = float(typed)
        elif typed:
            self.wrong[name] = "must be a number, such as 0.5"
        self.put(name, path, value)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects; objects in both are merged, and of other values that of `above` counts."""
    whole = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], dict) and isinstance(above[name], dict):
            whole[name] = merged(below[name], above[name])
    return whole
