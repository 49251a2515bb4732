"""What one `data` line holds, however a server or a gateway has put it there. `SseParser` reads such lines."""

import re
from typing import Any

from shared.protocols.json_values import NOT_JSON, document_at

END_MARKER = "[DONE]"
# A line that a gateway has wrapped twice. Only framing stands before a document: a text of an answer stands inside one.
_WRAPPED = re.compile(r"[ \t]*(?:data:[ \t]*)+(?=[{\[])")
# What may stand between two documents, and after the last one. Some servers end texts with a NUL, as C does.
_BETWEEN = re.compile(r"[ \t\0]*(?:data:[ \t]*)*")


def unwrapped(line: str) -> str:
    """The line without what stands before its document, if it has one."""
    found = _WRAPPED.match(line)
    return line if found is None else line[found.end() :]


def documents_in(line: str) -> tuple[list[tuple[str, Any]], str]:
    """The documents of a line that begins with one, each with its text, and what is left: one that is not whole.

    The end marker counts as a document. If anything else stands in the line, all of it is left.
    """
    found: list[tuple[str, Any]] = []
    start = 0
    while (whole := document_at(line, start)) is not None:
        document, end = whole
        found.append((line[start:end], document))
        between = _BETWEEN.match(line, end)
        start = end if between is None else between.end()
    rest = line[start:].rstrip("\0 \t")
    if rest == END_MARKER:
        return [*found, (END_MARKER, NOT_JSON)], ""
    if found and "data:".startswith(rest):
        # Nothing is left, or what the end of the stream has left of the next line.
        return found, ""
    return (found, rest) if found and rest[:1] in ("{", "[") else ([], line)
