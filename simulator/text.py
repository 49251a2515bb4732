"""The words an answer is made of, and how the simulator counts tokens: one word is one token."""

from collections.abc import Iterator
from itertools import chain, cycle, islice
from math import ceil
from typing import Any

from simulator.profile import Profile


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Sixteen words, so that the default profile answers with exactly one sentence.
WORDS = _words(
    "Measured numbers tell you which model is fast enough, at what load, and at what price. "
    "A stream that starts early but stalls later is not fast, so look at the gaps as well as the first token. "
)
REASONING = _words("First I restate the question, then I weigh what is known, and then I choose the shortest answer. ")
# Two, three and four byte characters, a combining mark and a joined emoji: each can be cut in the middle.
UTF8_WORDS = _words("Größe naïve Привет 東京 速度 测量 한국어 🚀 👩\u200d🔬 e\u0301te ∑≠∞ 🇩🇪")
HTML_WORDS = _words('=HYPERLINK("http://x") <img src=x onerror=alert(1)>')


def answer_tokens(profile: Profile) -> Iterator[str]:
    """An endless stream of tokens, each a word and a space; the caller takes as many as it needs."""
    words: Iterator[str] = cycle(UTF8_WORDS if profile.utf8 else WORDS)
    if profile.nul:
        words = chain([next(words) + "\x00"], words)
    if profile.html:
        words = chain(HTML_WORDS, words)
    return (word + " " for word in words)


def reasoning_tokens(count: int) -> list[str]:
    return [word + " " for word in islice(cycle(REASONING), count)]


def tool_tokens(profile: Profile, count: int) -> list[str]:
    """Exactly `count` pieces that join to one JSON object."""
    if count < 2:
        return ["{}"][:count]
    words = islice(answer_tokens(profile), count - 2)
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "\x00": "\\u0000"})
    return ['{"query": "', *(word.translate(escapes) for word in words), '"}']


def input_tokens(*parts: Any) -> int:
    """`max(1, ceil(UTF-8 bytes of all text / 4))`; `parts` are `system` and `messages` as they came."""
    size = sum(len(text.encode("utf-8", "replace")) for part in parts for text in _texts(part))
    return max(1, ceil(size / 4))


def prompt_text(*parts: Any) -> str:
    """All text of a prompt in its order."""
    return "".join(text for part in parts for text in _texts(part))


def _texts(part: Any) -> Iterator[str]:
    # Iterative, as nesting is the client's choice.
    waiting = [part]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, dict):
            waiting.extend(item[key] for key in ("text", "content") if key in item)
