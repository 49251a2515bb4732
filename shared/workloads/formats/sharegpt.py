"""Reads ShareGPT: conversations of humans and models, as an array of JSON or as JSON lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from shared.text import refuse_unstorable
from shared.workloads.formats.jsonl import decoded
from shared.workloads.formats.lines import NumberedLine
from shared.workloads.formats.options import ReadOptions
from shared.workloads.formats.report import Report
from shared.workloads.rows import Row, Turn

_HUMAN = ("human", "user")
_MODEL = ("gpt", "assistant", "model", "chatgpt", "bard", "bing")

# The tokens of each text.
Count = Callable[[Sequence[str]], Sequence[int]]


class _Said(msgspec.Struct):
    value: str
    speaker: str = msgspec.field(name="from")


class _Conversation(msgspec.Struct):
    conversations: list[_Said]


def read_sharegpt(items: Iterable[NumberedLine], report: Report, options: ReadOptions, count: Count) -> Iterator[Row]:
    """The first pairs of each conversation that are within the bounds. `report` counts the others, by reason.

    A turn asks for as many output tokens as its recorded answer has. The answer itself is not kept: a later turn
    carries the answer that the model under test gave. `count`: tokens of texts.
    """
    decoder = msgspec.json.Decoder(_Conversation)
    for number, item in items:
        if not item.strip():
            continue
        try:
            said = decoded(item, decoder).conversations
            for index, message in enumerate(said):
                _check(message.value, index)
        except ValueError as exc:
            report.wrong(number, str(exc))
            continue
        row = _row(said, report, options, count)
        if row is not None:
            yield row


def _check(text: str, index: int) -> None:
    try:
        refuse_unstorable(text)
    except ValueError as exc:
        raise ValueError(f"conversations[{index}].value: {exc}") from None


def _row(said: list[_Said], report: Report, options: ReadOptions, count: Count) -> Row | None:
    if len(said) < options.min_turns:
        report.leave_out("too_few_turns")
        return None
    system, pairs = _pairs(said, options.max_pairs)
    if not pairs:
        report.leave_out("no_pair")
        return None
    turns: list[Turn] = []
    before, *tokens = count([system or "", *(text for pair in pairs for text in pair)])
    for (prompt, _), own_tokens, output_tokens in zip(pairs, tokens[::2], tokens[1::2], strict=True):
        prompt_tokens = before + own_tokens
        reason = _outside(prompt_tokens, output_tokens, options)
        if reason is not None:
            # The turns before are a whole conversation. Without any, there is nothing to send.
            if not turns:
                report.leave_out(reason)
            break
        turns.append(Turn(prompt, output_tokens))
        before = prompt_tokens + output_tokens
    return Row(tuple(turns), system) if turns else None


def _pairs(said: list[_Said], most: int) -> tuple[str | None, list[tuple[str, str]]]:
    """(system text, pairs): the pairs of a human's message and its answer from the first human's message on."""
    system = said[0].value or None if said[0].speaker == "system" else None
    first = next((index for index, message in enumerate(said) if message.speaker in _HUMAN), len(said))
    pairs: list[tuple[str, str]] = []
    for prompt, answer in zip(said[first::2], said[first + 1 :: 2], strict=False):
        if len(pairs) == most or prompt.speaker not in _HUMAN or answer.speaker not in _MODEL:
            break
        pairs.append((prompt.value, answer.value))
    return system, pairs


def _outside(prompt_tokens: int, output_tokens: int, options: ReadOptions) -> str | None:
    """Which bound is broken, if any."""
    if prompt_tokens < options.min_prompt_tokens:
        return "prompt_too_short"
    if prompt_tokens > options.max_prompt_tokens:
        return "prompt_too_long"
    if output_tokens < options.min_output_tokens:
        return "answer_too_short"
    if prompt_tokens + output_tokens > options.max_total_tokens:
        return "sum_too_long"
    return None
