"""Lines of a name and a value, and counted words."""

from collections.abc import Mapping

from cli.terminal.output import Line, clean

_NAME = 13


def pair(name: str, value: str, style: str = "") -> Line:
    """A name and a value, which a narrow terminal breaks between words, below the value."""
    return Line(f"{name:<{_NAME}}{value}", style, _NAME)


def counts(counted: Mapping[str, int]) -> str:
    """`stop 117, length 1`: the most frequent first."""
    return ", ".join(f"{clean(name)} {number:,}" for name, number in most_first(counted))


def most_first(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first; the equally frequent by name."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))
