"""Reads JSON lines: `{"prompt"}`, `{"messages"}`, `{"question"}`, `{"turns"}`, with optional system text and limit."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from shared.text import refuse_unstorable
from shared.workloads.formats.lines import NumberedLine, not_utf8
from shared.workloads.formats.report import Report
from shared.workloads.rows import Row, Turn

MAX_TURNS = 1_000
MAX_TOKENS = 1_000_000
MAX_THINK_S = 86_400
_SHAPES = "prompt, messages, question or turns"
_NAMES_SHOWN = 8

T = TypeVar("T")


class _Message(msgspec.Struct):
    role: str
    content: str


class _Turn(msgspec.Struct):
    text: str
    max_tokens: int | None = None
    think_s: float = 0.0


class _Line(msgspec.Struct):
    """Fields that it does not have are skipped, without an object for any of them."""

    prompt: str | None = None
    question: str | None = None
    messages: list[_Message] | None = None
    turns: list[str | _Turn] | None = None
    system: str | None = None
    max_tokens: int | None = None
    output_tokens: int | None = None


def read_jsonl(lines: Iterable[NumberedLine], report: Report) -> Iterator[Row]:
    """The row of each line that is not blank. `report` gets the lines that are wrong."""
    decoder = msgspec.json.Decoder(_Line)
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = _row(decoded(line, decoder), line)
        except ValueError as exc:
            report.wrong(number, str(exc))
        else:
            yield row


def decoded(line: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """The JSON value. Raises ValueError with what is wrong."""
    try:
        if not line.isascii():
            # msgspec does not look into fields that it skips.
            line.decode()
        return decoder.decode(line)
    except UnicodeDecodeError as exc:
        raise ValueError(not_utf8(exc)) from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except msgspec.ValidationError as exc:
        raise ValueError(_plain(str(exc))) from None
    except msgspec.DecodeError as exc:
        if b"\\ud" in line.lower():
            raise ValueError("is not JSON, or has a lone surrogate (\\ud…)") from None
        raise ValueError(f"is not JSON: {exc}") from None


def _plain(message: str) -> str:
    what, _, path = message.partition(" - at `$")
    name = path.rstrip("`").lstrip(".")
    text = what[:1].lower() + what[1:].replace("`", "")
    return f"{name}: {text}" if name else text


def _row(line: _Line, raw: bytes) -> Row:
    given = [name for name in ("prompt", "messages", "question", "turns") if getattr(line, name) is not None]
    if not given:
        raise ValueError(f"has none of {_SHAPES}{_names(raw)}")
    if len(given) > 1:
        raise ValueError(f"must have only one of {_SHAPES}, has {' and '.join(given)}")
    system = None if line.system is None else _text(line.system, "system")
    limit = _limit(line)
    if line.turns is not None:
        return Row(_turns(line.turns, limit), system)
    if line.messages is not None:
        return _conversation(line.messages, system, limit)
    if line.prompt is not None:
        return Row((Turn(_text(line.prompt, "prompt"), limit),), system)
    return Row((Turn(_text(line.question or "", "question"), limit),), system)


def _names(raw: bytes) -> str:
    """The fields that there are. The line is known to be an object."""
    names = list(msgspec.json.decode(raw, type=dict[str, msgspec.Raw]))
    if not names:
        return ": it is empty"
    shown = ", ".join(ascii(name[:40])[1:-1] for name in names[:_NAMES_SHOWN])
    return f": it has {shown}" + (f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else "")


def _limit(line: _Line) -> int | None:
    if line.max_tokens is not None and line.output_tokens is not None:
        raise ValueError("must not have both max_tokens and output_tokens: they mean the same")
    if line.output_tokens is not None:
        return checked_tokens(line.output_tokens, "output_tokens")
    return None if line.max_tokens is None else checked_tokens(line.max_tokens, "max_tokens")


def checked_tokens(value: int, name: str) -> int:
    """Raises ValueError for a number of output tokens that no request may have."""
    if not 1 <= value <= MAX_TOKENS:
        raise ValueError(f"{name}: must be 1 to {MAX_TOKENS:,}")
    return value


def _text(value: str, name: str) -> str:
    if not value:
        raise ValueError(f"{name}: must not be empty")
    try:
        return refuse_unstorable(value)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def _turns(turns: list[str | _Turn], limit: int | None) -> tuple[Turn, ...]:
    if not 1 <= len(turns) <= MAX_TURNS:
        raise ValueError(f"turns: must be 1 to {MAX_TURNS:,}")
    return tuple(_turn(turn, f"turns[{index}]", limit) for index, turn in enumerate(turns))


def _turn(turn: str | _Turn, name: str, limit: int | None) -> Turn:
    if isinstance(turn, str):
        return Turn(_text(turn, name), limit)
    if not 0 <= turn.think_s <= MAX_THINK_S:
        raise ValueError(f"{name}.think_s: must be 0 to {MAX_THINK_S:,}")
    own = limit if turn.max_tokens is None else checked_tokens(turn.max_tokens, f"{name}.max_tokens")
    return Turn(_text(turn.text, f"{name}.text"), own, turn.think_s)


def _conversation(messages: list[_Message], system: str | None, limit: int | None) -> Row:
    """The last message is the turn; those before it are sent as they are."""
    if messages and messages[0].role in ("system", "developer"):
        if system is not None:
            raise ValueError("must not have both system and a message with the role system")
        system = _text(messages[0].content, "messages[0].content")
        messages = messages[1:]
    if not 1 <= len(messages) <= MAX_TURNS:
        raise ValueError(f"messages: must be 1 to {MAX_TURNS:,}")
    history = []
    for index, message in enumerate(messages):
        if message.role not in ("user", "assistant"):
            raise ValueError(f"messages[{index}].role: must be user or assistant")
        history.append((message.role, _text(message.content, f"messages[{index}].content")))
    role, text = history.pop()
    if role != "user":
        raise ValueError("messages: the last one must have the role user")
    return Row((Turn(text, limit),), system, tuple(history))
