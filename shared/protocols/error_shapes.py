"""Reads what a server says about a failure, in all the shapes in which servers say it. Nothing here raises.

`error_answers` reads error answers with it, and decoders find the failures that stand inside a 200.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from shared.protocols.error_kinds import kind_of_error, kind_of_word
from shared.protocols.events import Failure
from shared.protocols.retry_after import stated_wait_s
from shared.scrubber import shorten
from shared.text import replace_unstorable

MAX_MESSAGE = 2_000
# More than is stored of a code: keys are masked in it before it is cut.
MAX_CODE = 400
# How deep errors stand inside each other, and how many items of a list and how many fields in all are read.
_MAX_DEPTH = 8
_MAX_ITEMS = 8
_MAX_FIELDS = 500
# The most characters of a text that are read as JSON.
_MAX_JSON = 64_000

# Fields that hold the error itself. What they say comes before what their object says.
_WRAPPERS = ("error", "Error", "errors", "fault", "base_resp")
# Fields with the words of an error, in the order in which they are put together.
_MESSAGES = (
    "message",
    "Message",
    "msg",
    "error_message",
    "errorMessage",
    "error_msg",
    "errorMsg",
    "err_msg",
    "error_description",
    "status_msg",
    "faultstring",
    "detail",
    "details",
    "description",
    "reason",
)
# Fields with a type, a code or a status.
_CODES = (
    "code",
    "type",
    "status",
    "error_code",
    "errorCode",
    "error_type",
    "errorType",
    "err_code",
    "errorcode",
    "__type",
    "status_code",
    "statusCode",
)
# Values that say that there is no error, and values of the fields above that say no more than that there is one.
_NO_ERROR = frozenset({"", "0", "200", "false", "none", "null", "ok", "success"})
_EMPTY_WORDS = _NO_ERROR - {"200", "false"} | {"error", "failed", "failure"}
# A document with one of these is an answer, or a part of one, unless it says outright that it is an error.
_ANSWERS = frozenset({"choices", "content", "delta", "output", "response", "candidates", "usage", "data", "item"})
# A document with one of these is a chunk of an answer if nothing but a message stands beside it, whatever they hold.
_CHUNK = frozenset({"choices", "delta", "usage"})
# The fields of which `find_error` needs at least one.
_SIGNS = frozenset(
    {*_WRAPPERS, "object", "type", "detail", "code", "error_code", "errorCode", "error_msg", "err_msg", "success"}
    | {"status", "message", "Message", "__type", "statusCode"}
)
# Servers put fields of their own into an object of their own, such as `x_groq`, and errors among them.
_EXTENSION = "x_"
# All that a document may have beside `message` if it has nothing else that makes it an error.
_BARE = frozenset({"message", "Message", "request_id", "requestId", "requestid", "id", "trace_id", "path", "timestamp"})

# MiniMax's own status codes.
_MINIMAX = {"1001": "timeout", "1002": "rate_limit", "1004": "authentication", "1008": "insufficient_balance"}


def find_error(document: object) -> Failure | None:
    """The failure that a JSON document inside a 2xx answer states; None if it states none."""
    if isinstance(document, list):
        return next((found for item in document[:_MAX_ITEMS] if (found := find_error(item)) is not None), None)
    if not isinstance(document, dict):
        return None
    if not _SIGNS.isdisjoint(document) and _states_error(document):
        return failure_of(document)
    extensions = (value for name, value in document.items() if name.startswith(_EXTENSION) and isinstance(value, dict))
    # Numbers there may be counters.
    return next((failure_of(extension) for extension in extensions if _says_error(extension)), None)


def failure_of(document: object) -> Failure:
    """What a document inside a 2xx answer says that is known to be an error; if it has no words, a piece of it."""
    failure = stated_failure(document)
    return replace(
        failure,
        message=failure.message or _dumped(document),
        retry_after_s=stated_wait_s(document, failure.message),
    )


def stated_failure(document: object, status: int | None = None, error_type: str | None = None) -> Failure:
    """What a document that is known to be an error says. The message is empty if it has no words.

    `status` and `error_type`: the HTTP status of an error answer, and the type that its headers name.
    """
    reader = _Reader()
    text = reader.text(document)
    words = reader.words + [word for word in (_word(error_type),) if word]
    code = next((word for word in words if not _is_status(word)), words[0] if words else None)
    return Failure(kind_of_error(words, text, status), replace_unstorable(text)[0], code)


def _states_error(document: dict[Any, Any]) -> bool:
    get = document.get
    if _holds_error(document) or get("object") == "error" or get("type") == "error" or get("__type"):
        return True
    base = get("base_resp")
    if isinstance(base, dict) and _is_code(base.get("status_code")):
        return True
    if any(_is_set(get(name)) for name in _ANSWERS) or any(get(name) is not None for name in ("choices", "delta")):
        # The chunk with the usage has an empty list of choices, and others an empty delta.
        return False
    said = any(isinstance(get(name), str) and _holds(get(name)) for name in ("title", *_MESSAGES))
    return (
        _holds(get("detail"))
        or get("success") is False
        or any(_holds(get(name)) for name in ("error_msg", "err_msg"))
        or (said and any(_is_code(get(name)) for name in ("code", "error_code", "errorCode", "statusCode")))
        or (said and any(_names_error(get(name)) for name in ("status", "type")))
        or (said and _CHUNK.isdisjoint(document) and not {name for name in document if _is_set(get(name))} - _BARE)
    )


def _holds_error(document: dict[Any, Any]) -> bool:
    return any(_holds(document.get(name)) for name in _WRAPPERS if name != "base_resp")


def _says_error(document: dict[Any, Any]) -> bool:
    """Like `_holds_error`, where the error must be a text, or have a message or a code."""
    for name in _WRAPPERS:
        value = document.get(name)
        if isinstance(value, dict):
            value = [value.get(field) for field in (*_MESSAGES, *_CODES)]
        if isinstance(value, str | list) and _holds(value):
            return True
    return False


def _holds(value: object, depth: int = 0) -> bool:
    """Whether a field holds an error: anything but zeros and words for none, however deep they stand."""
    if isinstance(value, dict | list) and depth < _MAX_DEPTH:
        return any(_holds(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value))
    if isinstance(value, str):
        return value.strip().lower() not in _NO_ERROR
    if isinstance(value, int | float):
        return value > 0 and value != 200
    return bool(value)


def _is_set(value: object) -> bool:
    """Whether a field says anything. Some servers write all their fields, those without a value too."""
    return value is not None and value not in ("", {}, [])


def _is_code(value: object) -> bool:
    return not isinstance(value, bool) and value != 200 and _word(value) not in ("", "200")


def _names_error(value: object) -> bool:
    return value in ("error", "failed") or kind_of_word(_word(value)) is not None


class _Reader:
    """Puts the words of an error together, and collects its codes in `words`, the innermost first."""

    def __init__(self) -> None:
        self.words: list[str] = []
        # No document takes longer than this many fields.
        self._left = _MAX_FIELDS

    def text(self, node: object, depth: int = 0) -> str:
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            return ""
        if isinstance(node, str):
            return self._of_text(node, depth)
        if isinstance(node, list):
            return _joined("; ", (self.text(item, depth + 1) for item in node[:_MAX_ITEMS]))
        return self._of_object(node, depth) if isinstance(node, dict) else ""

    def _of_text(self, text: str, depth: int) -> str:
        """A text; if it is JSON, as gateways pass on the answer of a server behind them, what that says."""
        text = text[:_MAX_JSON].strip()
        if text[:1] in ("{", "["):
            try:
                inner = self.text(orjson.loads(text), depth + 1)
            except orjson.JSONDecodeError:
                inner = ""
            if inner:
                return inner
        return shorten(text, MAX_MESSAGE)

    def _of_object(self, node: dict[Any, Any], depth: int) -> str:
        parts = [self.text(node.get("title"), depth + 1)]
        parts += [self._fields(node[name], depth + 1) for name in _WRAPPERS if node.get(name)]
        for name in _CODES:
            self._add(node.get(name))
        if "status_msg" in node and (minimax := _MINIMAX.get(_word(node.get("status_code")))):
            self.words.append(minimax)
        for name in _MESSAGES:
            value = node.get(name)
            if name == "details" and isinstance(value, list):
                self._reasons(value)
            elif name == "reason" and _is_code_word(value):
                self._add(value)
            elif value:
                parts.append(self._fields(value, depth + 1))
        metadata = node.get("metadata")
        if isinstance(metadata, dict):
            # OpenRouter: what the provider behind it said.
            parts.append(self.text(metadata.get("raw"), depth + 1))
        text = _joined(": ", parts)
        return _with_place(node, text) if text else ""

    def _fields(self, value: object, depth: int) -> str:
        """The words of a field, which may be an object that has a list of errors for each field of the request."""
        text = self.text(value, depth)
        if text or not isinstance(value, dict):
            return text
        fields = [(_word(name), said) for name, said in [*value.items()][:_MAX_ITEMS] if name not in _CODES]
        return _joined("; ", (f"{name}: {text}" for name, said in fields if (text := self.text(said, depth + 1))))

    def _reasons(self, details: list[Any]) -> None:
        """Adds the reasons that Google's servers give in `details`."""
        for item in details[:_MAX_ITEMS]:
            if isinstance(item, dict):
                self._add(item.get("reason"))

    def _add(self, code: object) -> None:
        if word := _word(code):
            self.words.append(word)


def _with_place(node: dict[Any, Any], text: str) -> str:
    """The words with the field that they are about."""
    place, param = node.get("loc"), node.get("param")
    if isinstance(place, list) and place:
        text = f"{'.'.join(_word(step) or '?' for step in place[:_MAX_ITEMS])}: {text}"
    if isinstance(param, str) and param.strip() and param not in text:
        text = f"{text} (param: {shorten(param, 100)})"
    return text


def _joined(between: str, parts: Iterable[str]) -> str:
    """The parts without those that another part repeats."""
    kept: list[str] = []
    for part in parts:
        if part and not any(part in other for other in kept):
            kept = [other for other in kept if other not in part] + [part]
    return shorten(between.join(kept), MAX_MESSAGE)


def _word(value: object) -> str:
    """A code as a word; empty if it says nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) >= 10**18:
        return ""
    word = (value[:MAX_CODE] if isinstance(value, str) else str(value)).strip()
    if word.lower() in _EMPTY_WORDS or "://" in word[:10] or word == "about:blank":
        return ""
    return replace_unstorable(word)[0]


def _is_code_word(value: object) -> bool:
    """Whether a `reason` is a code, as in Google's errors, and not a sentence."""
    return isinstance(value, str) and " " not in value


def _is_status(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isdecimal()


def _dumped(document: object) -> str:
    try:
        return shorten(orjson.dumps(document).decode(), 300) if isinstance(document, dict | list) else "no message"
    except (TypeError, ValueError):
        return "no message"
