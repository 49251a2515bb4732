"""What is generated for a request, before any wire format: reasoning, text or tool arguments, and why it ended."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from simulator.fault import FaultKind
from simulator.profile import Profile
from simulator.text import answer_tokens, reasoning_tokens, tool_tokens


class Finish(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    TOOL = "tool"
    STOP_SEQUENCE = "stop_sequence"


class Piece(NamedTuple):
    """The text of one content event and how many tokens it carries."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`pieces` is endless when the fault is; then it can be iterated but never listed."""

    reasoning: Sequence[Piece]
    pieces: Iterable[Piece]
    reasoning_tokens: int
    output_tokens: int
    finish: Finish
    stop_sequence: str | None = None


def generate(profile: Profile, max_tokens: int | None, stops: Sequence[str]) -> Answer:
    """The answer `profile` describes, cut by `max_tokens` (reasoning counts too) and at the first stop sequence."""
    if profile.fault is not None and profile.fault.kind is FaultKind.ENDLESS:
        reasoning = reasoning_tokens(profile.think)
        endless = _grouped(answer_tokens(profile), profile.chunk)
        return Answer(list(_grouped(reasoning, profile.chunk)), endless, len(reasoning), 0, Finish.STOP)
    total = profile.think + profile.tokens
    limit = total if max_tokens is None or profile.ignore_max else min(total, max_tokens)
    reasoning = reasoning_tokens(min(profile.think, limit))
    count = limit - len(reasoning)
    finish = Finish.LENGTH if limit < total else Finish.TOOL if profile.tool and count else Finish.STOP
    stop: str | None = None
    if profile.tool:
        tokens = tool_tokens(profile, profile.tokens)[:count]
    else:
        tokens, stop = _until_stop(list(islice(answer_tokens(profile), count)), stops)
        if stop is not None:
            finish = Finish.STOP_SEQUENCE
    return Answer(
        list(_grouped(reasoning, profile.chunk)),
        list(_grouped(tokens, profile.chunk)),
        len(reasoning),
        len(reasoning) + len(tokens),
        finish,
        stop,
    )


def _grouped(tokens: Iterable[str], size: int) -> Iterator[Piece]:
    source = iter(tokens)
    while group := list(islice(source, size)):
        yield Piece("".join(group), len(group))


def _until_stop(tokens: list[str], stops: Sequence[str]) -> tuple[list[str], str | None]:
    """The tokens before the earliest stop sequence, the last one shortened when it is cut, and that sequence."""
    text = "".join(tokens)
    found = min(((text.find(stop), stop) for stop in stops if stop and stop in text), default=None)
    if found is None:
        return tokens, None
    kept: list[str] = []
    left = found[0]
    for token in tokens:
        if left <= 0:
            break
        kept.append(token[:left])
        left -= len(token)
    return kept, found[1]
