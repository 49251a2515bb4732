"""Remembers for which models an endpoint refuses an optional field of the request, so that each is asked once."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.benchmark.results.record import RequestError

# The most models that are remembered. Beyond that, the one that was learnt first is forgotten.
MAX_MODELS = 1_000
# A server refuses a field with one of the first two. With the others it must name the field.
_REFUSALS = frozenset({400, 422})
_NAMED_REFUSALS = _REFUSALS | {404, 415, 500, 501}
# What servers say of a field that they do not know, without spaces, `_` and `-`.
_UNKNOWN_FIELD = (
    "additionalpropert",
    "extrafields",
    "extraforbidden",
    "extrainputs",
    "unexpectedfield",
    "unexpectedkeyword",
    "unexpectedpropert",
    "unknownargument",
    "unknownfield",
    "unknownname",
    "unknownparameter",
    "unrecognized",
    "unsupportedfield",
    "unsupportedparameter",
)
# Fields whose names are words in errors about any other field.
_ORDINARY = frozenset({"model", "messages", "stream", "stop", "seed"})


class _Refusal(NamedTuple):
    # False: the request was refused in the same words without the field, so it was not the field.
    of_the_field: bool
    words: str


class RefusedField:
    """One field, and the names of its parts, by which a refusal may name it."""

    def __init__(self, field: str, *parts: str) -> None:
        self._field = field
        self._names = [_plain(name) for name in (field, *parts)]
        self._by_model: OrderedDict[str, _Refusal] = OrderedDict()

    def current(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body without the field, if it was refused for this model."""
        known = self._by_model.get(_model(body))
        return self._without(body) if known is not None and known.of_the_field else body

    def retry(self, body: Mapping[str, Any], error: RequestError) -> dict[str, Any] | None:
        """The body without the field; None if the refusal is not about the field."""
        model = _model(body)
        known = self._by_model.get(model)
        if self._field not in body:
            if known is not None and known.words == error.message and not self._names_field(error):
                self._by_model[model] = _Refusal(False, error.message)
            return None
        if known is not None and known.of_the_field:
            # This request was under way when the refusal of another one came.
            return self._without(body) if error.http_status in _REFUSALS else None
        if (known is not None and known.words == error.message) or not self._refuses(body, error):
            return None
        self._by_model[model] = _Refusal(True, error.message)
        while len(self._by_model) > MAX_MODELS:
            self._by_model.popitem(last=False)
        return self._without(body)

    def _refuses(self, body: Mapping[str, Any], error: RequestError) -> bool:
        """Whether the words name the field, or speak of a field that is unknown and name none."""
        words = _words(error)
        if self._names_field(error):
            return error.http_status in _NAMED_REFUSALS
        if error.http_status not in _REFUSALS or not any(phrase in words for phrase in _UNKNOWN_FIELD):
            return False
        return not any(_plain(name) in words for name in body if name not in _ORDINARY)

    def _names_field(self, error: RequestError) -> bool:
        words = _words(error)
        return any(name in words for name in self._names)

    def _without(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in body.items() if name != self._field}


def _model(body: Mapping[str, Any]) -> str:
    return str(body.get("model"))


def _words(error: RequestError) -> str:
    return _plain(f"{error.message} {error.provider_code}")


def _plain(words: str) -> str:
    return words.lower().replace("unrecognised", "unrecognized").translate(_NO_SEPARATORS)


_NO_SEPARATORS = str.maketrans("", "", " _-")
