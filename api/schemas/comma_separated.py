"""Parameters that have several values, as one text or as several parameters."""

from typing import Any


def comma_separated(value: Any, most_chars: int) -> Any:
    """`a,b` and `["a", "b"]` as `("a", "b")`, for both `x=a,b` and `x=a&x=b`. Anything else is returned as it is.

    Raises ValueError above `most_chars` characters.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return value
    whole = ",".join(texts)
    if len(whole) > most_chars:
        raise ValueError(f"must have at most {most_chars} characters")
    return tuple(part.strip() for part in whole.split(",") if part.strip())


def comma_separated_words(value: Any, words: tuple[str, ...], most_chars: int) -> Any:
    """The same for values that must be among `words`. Raises ValueError for another one."""
    found = comma_separated(value, most_chars)
    if isinstance(found, tuple) and all(isinstance(word, str) for word in found) and not set(found) <= set(words):
        raise ValueError(f"must name only {', '.join(words)}, separated by commas")
    return found
